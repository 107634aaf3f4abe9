"""Do masks change from epoch to epoch inside fairseq's data-loading workers?

fairseq's ``masked_lm`` data set against ours, through fairseq's own epoch iterator with 0, 1 and 2
workers. Workers persist between epochs, and ``set_epoch`` of the main process cannot reach them.
"""

from __future__ import annotations

from typing import Any

LENGTH, WORDS = 128, 5_000


def dictionary() -> Any:
    """A fairseq dictionary with ``<mask>``."""
    from fairseq.data import Dictionary

    made = Dictionary()
    for i in range(WORDS):
        made.add_symbol(f"▁w{i}" if i % 3 else f"w{i}")
    made.add_symbol("<mask>")
    return made


def rows(number: int) -> Any:
    """A fairseq data set of so many random sentences that end in ``</s>``."""
    import torch
    from fairseq.data import ListDataset

    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(4, WORDS, (number, LENGTH), generator=generator)
    ids[:, -1] = 2
    return ListDataset(list(ids), [LENGTH] * number)


def theirs(number: int) -> Any:
    """The masked source of fairseq's ``masked_lm`` task, and its ids."""
    from fairseq.data import IdDataset, MaskTokensDataset, NestedDictionaryDataset, RightPadDataset

    words = dictionary()
    source, _ = MaskTokensDataset.apply_mask(
        rows(number), words, pad_idx=words.pad(), mask_idx=words.index("<mask>"), seed=1
    )
    return NestedDictionaryDataset(
        {"id": IdDataset(), "source": RightPadDataset(source, pad_idx=words.pad())},
        sizes=[source.sizes],
    )


def ours(number: int) -> Any:
    """The data set of the task ``maskplug_translation``, with the same rows on both sides."""
    from fairseq.data import LanguagePairDataset

    import maskplug
    from maskplug_fairseq import MaskedPairDataset, vocabulary

    words, texts = dictionary(), rows(number)
    pairs = LanguagePairDataset(texts, texts.sizes, words, texts, texts.sizes, words)
    return MaskedPairDataset(pairs, maskplug.strategy("dynamic"), seed=1, source=vocabulary(words))


def identical(dataset: Any, workers: int) -> float:
    """The share of rows with the same input in epochs 1 and 2."""
    from fairseq.data.iterators import EpochBatchIterator

    from maskplug_fairseq import MaskedPairDataset
    from maskplug_fairseq.step_schedule import StepSchedule, attach_times

    number = len(dataset)
    batches = [list(range(i, i + 20)) for i in range(0, number, 20)]
    iterator = EpochBatchIterator(
        dataset, dataset.collater, batches, num_workers=workers, reuse_dataloader=True
    )
    if isinstance(dataset, MaskedPairDataset):
        attach_times(iterator, StepSchedule())  # as the task does
    epochs: list[dict[int, list[int]]] = []
    for _ in range(2):
        found: dict[int, list[int]] = {}
        for batch in iterator.next_epoch_itr(shuffle=True):
            source = batch["net_input"]["src_tokens"] if "net_input" in batch else batch["source"]
            found |= dict(zip(batch["id"].tolist(), source.tolist(), strict=True))
        epochs.append(found)
    return float(sum(epochs[0][i] == epochs[1][i] for i in range(number)) / number)


def measure(small: bool) -> dict[str, dict[str, float]]:
    """For each number of workers, the share of identical rows on both sides."""
    number = 40 if small else 400
    return {
        f"{workers} workers": {
            "share in fairseq masked_lm": identical(theirs(number), workers),
            "share in maskplug": identical(ours(number), workers),
        }
        for workers in ((0, 1) if small else (0, 1, 2))
    }
