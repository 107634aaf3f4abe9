"""Our datasets for fairseq against its own: rows are loaded, masked, and become a batch.

Both sides read the same binarized text, memory-mapped as in training, through torch's own fetcher:
what a data-loading worker does for each batch, without the worker.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.comparison import Call, Comparison
from benchmarks.peers.fairseq_text import FULL_STOP, equal_lines, sample_lines, word_starts

PEER = "fairseq"
#: More than any row of 512 tokens needs.
SENTINELS = 100


def comparisons(small: bool) -> Iterator[Comparison]:
    """Every objective that fairseq has a dataset for; ``small`` on a few short rows."""
    rows, length, batches = (4, 40, 3) if small else (32, 512, 16)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        equal_lines(folder, rows * batches, length)
        for what, made in OBJECTIVES.items():
            theirs, ours, goal = made(folder, length)
            yield Comparison(
                f"{what}, {rows} × {length}",
                PEER,
                rows * length,
                fetches(ours, rows),
                fetches(theirs, rows),
                goal,
            )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sample_lines(folder, lines=200 if small else None)
        theirs, ours, _ = masked_lm(folder, length)
        tokens = int(ours.sizes.mean() * rows)
        sides = fetches(ours, rows), fetches(theirs, rows)
        yield Comparison(f"masked LM, {rows} rows of real text", PEER, tokens, *sides)


def fetches(dataset: Any, rows: int) -> Call:
    """A call that loads and collates the next batch; behind the last one a new epoch begins."""
    from torch.utils.data._utils.fetch import _MapDatasetFetcher

    from maskplug_fairseq.dataset import MaskedDataset
    from maskplug_fairseq.step_schedule import TimedBatch

    order = np.asarray(dataset.ordered_indices())
    batches = order[: len(order) // rows * rows].reshape(-1, rows)
    fetcher: Any = _MapDatasetFetcher
    fetch = fetcher(dataset, True, dataset.collater, False).fetch
    calls = count()

    def call() -> object:
        epoch, number = divmod(next(calls), len(batches))
        if isinstance(dataset, MaskedDataset):  # whose task gives every batch its time
            return fetch(TimedBatch(batches[number], epoch, 0))
        if number == 0:
            dataset.set_epoch(epoch + 1)
        return fetch(batches[number])

    return call


def task(name: str, folder: Path, length: int, **given: Any) -> Any:
    """A task of fairseq's or ours, as the command line sets it up: a line becomes a row."""
    from fairseq.tasks import TASK_DATACLASS_REGISTRY, TASK_REGISTRY
    from omegaconf import OmegaConf

    import maskplug_fairseq  # noqa: F401 - its tasks are registered

    cut = {"data": str(folder), "tokens_per_sample": length, "sample_break_mode": "complete"}
    run = {"seed": 1, "dataset_impl": "mmap", "train_subset": "train", "max_epoch": 0}
    run |= {"update_freq": [1], "skip_remainder_batch": False}
    cfg = OmegaConf.structured(TASK_DATACLASS_REGISTRY[name]())
    known = set(cfg.keys())
    for key, value in {**cut, **run, **given}.items():
        if key in known:
            cfg[key] = value
    return TASK_REGISTRY[name].setup_task(cfg)


def train_split(made: Any) -> Any:
    """What a task trains on."""
    made.load_dataset("train")
    return made.dataset("train")


def ours(name: str, folder: Path, length: int, strategy: str, **options: Any) -> Any:
    """What one of our tasks trains on with this strategy."""
    masking = {"masking_plugin": strategy, "masking_args": json.dumps(options)}
    sentinels = SENTINELS if strategy == "t5" else 0
    return train_split(task(name, folder, length, masking_sentinels=sentinels, **masking))


def masked_lm(folder: Path, length: int) -> tuple[Any, Any, float]:
    """Single tokens, at the rate of .15 on both sides."""
    theirs = train_split(task("masked_lm", folder, length))
    return theirs, ours("maskplug_masked_lm", folder, length, "dynamic", rate=0.15), 20


def whole_words(folder: Path, length: int) -> tuple[Any, Any, float]:
    """Whole words; fairseq's option for them fails, and so its dataset is given the table."""
    from fairseq.data import MaskTokensDataset, RightPadDataset

    made = task("masked_lm", folder, length)
    words = made.dictionary
    source, target = MaskTokensDataset.apply_mask(
        made._load_dataset_split("train", 1, False),
        words,
        words.pad(),
        made.mask_idx,
        mask_whole_words=word_starts(words),
    )
    theirs = made._regular_dataset(source, RightPadDataset(target, words.pad()))
    return theirs, ours("maskplug_masked_lm", folder, length, "whole_word", rate=0.15), 200


def infilling(folder: Path, length: int, permute: float = 0.0) -> tuple[Any, Any, float]:
    """BART's text infilling: spans of words, of Poisson length, .3 of the text."""
    from fairseq.data import DenoisingDataset

    made = task("denoising", folder, length)
    rows, words = made._load_dataset_split("train", 1, False), made.dictionary
    theirs = DenoisingDataset(
        rows,
        rows.sizes,
        words,
        made.mask_idx,
        word_starts(words),
        shuffle=False,
        seed=1,
        mask=0.3,
        mask_random=0.0,
        insert=0.0,
        rotate=0.0,
        permute_sentences=permute,
        bpe=None,
        replace_length=1,
        mask_length="span-poisson",
        poisson_lambda=3.0,
    )
    theirs.full_stop_index = words.index(FULL_STOP)  # which it knows for GPT-2's pieces only
    return theirs, ours("maskplug_denoising", folder, length, "bart", permute=permute), 25


def bart(folder: Path, length: int) -> tuple[Any, Any, float]:
    """The whole noise of BART: sentences change places, too."""
    return infilling(folder, length, permute=1.0)


def t5(folder: Path, length: int) -> tuple[Any, Any, float]:
    """T5's spans; fairseq writes real words for sentinels."""
    theirs = train_split(task("span_masked_lm", folder, length))
    return theirs, ours("maskplug_denoising", folder, length, "t5", rate=0.15, mean_length=3.0), 15


def pairs(folder: Path, length: int) -> tuple[Any, Any, None]:
    """A text and itself: what masking the sources adds to fairseq's own data set of pairs."""
    from fairseq.data import Dictionary, LanguagePairDataset, data_utils

    import maskplug
    from maskplug_fairseq import MaskedPairDataset, vocabulary

    words = Dictionary.load(str(folder / "dict.txt"))

    def plain() -> Any:
        sides = (data_utils.load_indexed_dataset(str(folder / "train"), words) for _ in range(2))
        both = [x for lines in sides for x in (lines, lines.sizes, words)]
        return LanguagePairDataset(*both, shuffle=False)

    strategy = maskplug.strategy("dynamic", rate=0.15)
    return plain(), MaskedPairDataset(plain(), strategy, source=vocabulary(words)), None


OBJECTIVES = {
    "masked LM": masked_lm,
    "masked LM, whole words": whole_words,
    "denoising, Poisson infilling": infilling,
    "denoising, infilling and permuted sentences": bart,
    "T5's spans": t5,
    "pairs, masked sources against plain pairs": pairs,
}
