"""Compare our datasets for fairseq with its own: load, mask and collate rows.

Both sides read the same binarized text through the fetcher of PyTorch, like a data-loading worker,
but in this process.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.inputs import WORDS, fairseq_dictionary, sample_text, write_fairseq
from benchmarks.timing import Call, Comparison

PEER = "fairseq"
#: More than any row of 512 tokens needs.
SENTINELS = 100
FULL_STOP = "▁."
#: Tokens in a sentence.
SENTENCE = 20


def comparisons(small: bool) -> Iterator[Comparison]:
    """Yield a comparison of every objective for which fairseq has a dataset."""
    rows, length, batches = (4, 40, 3) if small else (32, 512, 16)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        equal_lines(folder, rows * batches, length, 500 if small else WORDS)
        for what, datasets in OBJECTIVES.items():
            theirs, ours, goal = datasets(folder, length)
            sides = fetches(ours, rows), fetches(theirs, rows)
            yield Comparison(f"{what}, {rows} × {length}", PEER, rows * length, *sides, goal)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sample_lines(folder, lines=200 if small else None)
        theirs, ours, _ = masked_lm(folder, length)
        tokens = int(ours.sizes.mean() * rows)
        sides = fetches(ours, rows), fetches(theirs, rows)
        yield Comparison(f"masked LM, {rows} rows of real text", PEER, tokens, *sides)


def equal_lines(folder: Path, lines: int, length: int, size: int) -> None:
    """Write lines that become rows of ``length`` tokens between ``<s>`` and ``</s>``."""
    words = fairseq_dictionary(size, FULL_STOP)
    ids = np.random.default_rng(1).integers(words.nspecial, len(words), (lines, length - 2))
    ids[:, 0] = words.index("▁w1")
    ids[:, SENTENCE - 1 :: SENTENCE] = words.index(FULL_STOP)
    write_fairseq(folder, words, ids)


def sample_lines(folder: Path, lines: int | None = None) -> None:
    """Write the first lines of the sample of a recipe, split into words."""
    from fairseq.data import Dictionary

    words = Dictionary()
    text = ([f"▁{word}" for word in line.split()] for line in sample_text()[:lines])
    ids = [np.array([words.add_symbol(word) for word in line]) for line in text]
    write_fairseq(folder, words, ids)


def word_starts(words: Any) -> Any:
    """Return the table of word starts for the datasets of fairseq: a byte per symbol."""
    import torch

    return torch.tensor(
        [i < words.nspecial or s.startswith("▁") for i, s in enumerate(words.symbols)]
    ).byte()


def fetches(dataset: Any, rows: int) -> Call:
    """Return a call that loads and collates the next batch; after the last, a new epoch begins."""
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
        if isinstance(dataset, MaskedDataset):  # as its task does
            return fetch(TimedBatch(batches[number], epoch, 0))
        if number == 0:
            dataset.set_epoch(epoch + 1)
        return fetch(batches[number])

    return call


def task(name: str, folder: Path, length: int, **options: Any) -> Any:
    """Return a task of fairseq or of ours that makes a row of each line."""
    from fairseq.tasks import TASK_DATACLASS_REGISTRY, TASK_REGISTRY
    from omegaconf import OmegaConf

    import maskplug_fairseq  # noqa: F401 - registers the tasks

    rows = {"data": str(folder), "tokens_per_sample": length, "sample_break_mode": "complete"}
    run = {"seed": 1, "dataset_impl": "mmap", "train_subset": "train", "max_epoch": 0}
    run |= {"update_freq": [1], "skip_remainder_batch": False}
    cfg = OmegaConf.structured(TASK_DATACLASS_REGISTRY[name]())
    known = set(cfg.keys())
    for key, value in {**rows, **run, **options}.items():
        if key in known:
            cfg[key] = value
    return TASK_REGISTRY[name].setup_task(cfg)


def train_split(task: Any) -> Any:
    """Return the training set of a task."""
    task.load_dataset("train")
    return task.dataset("train")


def ours(name: str, folder: Path, length: int, strategy: str, **options: Any) -> Any:
    """Return the training set of one of our tasks."""
    masking = {"masking_plugin": strategy, "masking_args": json.dumps(options)}
    sentinels = SENTINELS if strategy == "t5" else 0
    return train_split(task(name, folder, length, masking_sentinels=sentinels, **masking))


def masked_lm(folder: Path, length: int) -> tuple[Any, Any, float]:
    """Mask 15 % of the tokens."""
    theirs = train_split(task("masked_lm", folder, length))
    return theirs, ours("maskplug_masked_lm", folder, length, "dynamic", rate=0.15), 20


def whole_words(folder: Path, length: int) -> tuple[Any, Any, float]:
    """Mask whole words; fairseq's option for them fails, so its dataset gets the word starts."""
    from fairseq.data import MaskTokensDataset, RightPadDataset

    reference = task("masked_lm", folder, length)
    words = reference.dictionary
    source, target = MaskTokensDataset.apply_mask(
        reference._load_dataset_split("train", 1, False),
        words,
        words.pad(),
        reference.mask_idx,
        mask_whole_words=word_starts(words),
    )
    theirs = reference._regular_dataset(source, RightPadDataset(target, words.pad()))
    return theirs, ours("maskplug_masked_lm", folder, length, "whole_word", rate=0.15), 200


def infilling(folder: Path, length: int, permute: float = 0.0) -> tuple[Any, Any, float]:
    """Mask 30 % of the text in spans of words with Poisson lengths, as BART does."""
    from fairseq.data import DenoisingDataset

    reference = task("denoising", folder, length)
    rows, words = reference._load_dataset_split("train", 1, False), reference.dictionary
    theirs = DenoisingDataset(
        rows,
        rows.sizes,
        words,
        reference.mask_idx,
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
    theirs.full_stop_index = words.index(FULL_STOP)  # fairseq only finds it in GPT-2's vocabulary
    return theirs, ours("maskplug_denoising", folder, length, "bart", permute=permute), 25


def t5(folder: Path, length: int) -> tuple[Any, Any, float]:
    """Mask spans as T5 does; fairseq uses ordinary words as sentinels."""
    theirs = train_split(task("span_masked_lm", folder, length))
    return theirs, ours("maskplug_denoising", folder, length, "t5", rate=0.15, mean_length=3.0), 15


def pairs(folder: Path, length: int) -> tuple[Any, Any, None]:
    """Compare pairs with masked sources to the unmasked pairs of fairseq."""
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


OBJECTIVES: dict[str, Callable[[Path, int], tuple[Any, Any, float | None]]] = {
    "masked LM": masked_lm,
    "masked LM, whole words": whole_words,
    "denoising, Poisson infilling": infilling,
    "denoising, infilling and permuted sentences": partial(infilling, permute=1.0),
    "T5's spans": t5,
    "pairs, masked sources against plain pairs": pairs,
}
