"""Measure whether masks change from epoch to epoch inside the data-loading workers of fairseq.

Workers persist between epochs, and ``set_epoch`` of the main process does not reach them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.inputs import fairseq_dictionary, fairseq_lines, masked_pairs
from benchmarks.timing import Row

LENGTH, WORDS = 128, 5_000


def lines(number: int) -> Any:
    """Return a fairseq dataset of random sentences that end with ``</s>``."""
    ids = np.random.default_rng(1).integers(5, WORDS, (number, LENGTH))
    ids[:, -1] = 2
    return fairseq_lines(ids)


def theirs(number: int) -> Any:
    """Return the masked source of the task ``masked_lm`` of fairseq, with its ids."""
    from fairseq.data import IdDataset, MaskTokensDataset, NestedDictionaryDataset, RightPadDataset

    words = fairseq_dictionary(WORDS, "<mask>")
    source, _ = MaskTokensDataset.apply_mask(
        lines(number), words, pad_idx=words.pad(), mask_idx=words.index("<mask>"), seed=1
    )
    return NestedDictionaryDataset(
        {"id": IdDataset(), "source": RightPadDataset(source, pad_idx=words.pad())},
        sizes=[source.sizes],
    )


def identical(dataset: Any, workers: int) -> float:
    """Return the share of rows whose input is equal in epochs 1 and 2."""
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
    epochs: list[dict[int, list[int]]] = [{}, {}]
    for inputs in epochs:
        for batch in iterator.next_epoch_itr(shuffle=True):
            source = batch["net_input"]["src_tokens"] if "net_input" in batch else batch["source"]
            inputs |= dict(zip(batch["id"].tolist(), source.tolist(), strict=True))
    return float(sum(epochs[0][i] == epochs[1][i] for i in range(number)) / number)


def measure(small: bool) -> list[Row]:
    """Return the share of identical rows of both sides for each number of workers."""
    number = 40 if small else 400
    pairs = masked_pairs(lines(number), WORDS, "dynamic")
    return [
        {
            "what": f"{workers} workers",
            "share in fairseq masked_lm": identical(theirs(number), workers),
            "share in maskplug": identical(pairs, workers),
        }
        for workers in ((0, 1) if small else (0, 1, 2))
    ]
