"""A script that prints what fairseq's workers compile with an empty kernel cache."""

from __future__ import annotations

import json
import os
from typing import Any

import torch
from fairseq.data import Dictionary, LanguagePairDataset, ListDataset
from fairseq.data.iterators import EpochBatchIterator

import maskplug
from maskplug_fairseq import MaskedPairDataset, vocabulary
from maskplug_fairseq.step_schedule import StepSchedule, attach_times
from support.compiling import Watched, gathered, kept

ROWS = 32


def dataset() -> MaskedPairDataset:
    """Return pairs with masked sources, after a dry run as in the tasks."""
    words = Dictionary()
    for symbol in (*(f"w{i}" for i in range(50)), "<mask>"):
        words.add_symbol(symbol)
    rows = [torch.tensor([*range(4, 7 + i), 2]) for i in range(ROWS)]
    texts = ListDataset(rows, [len(row) for row in rows])
    pairs = LanguagePairDataset(texts, texts.sizes, words, texts, texts.sizes, words)
    strategy, vocab = maskplug.strategy("dynamic", rate=0.3), vocabulary(words)
    strategy.dry_run(vocab)
    return MaskedPairDataset(pairs, strategy, seed=1, source=vocab)


def main() -> None:
    """Print as JSON what workers of each kind compile, and the files that they add."""
    folder = os.environ["NUMBA_CACHE_DIR"]
    assert not kept(folder)
    data = dataset()
    result: dict[str, Any] = {}
    before = kept(folder)
    batches = [list(range(i, i + 2)) for i in range(0, ROWS, 2)]
    for method in ("fork", "spawn"):
        torch.multiprocessing.set_start_method(method, force=True)
        iterator = EpochBatchIterator(data, Watched(data.collater), batches, num_workers=2)
        attach_times(iterator, StepSchedule())  # as in the tasks
        result[method] = gathered(iterator.next_epoch_itr(shuffle=True))
    added = sorted(set(kept(folder)) - set(before))
    print(json.dumps({**result, "kept": len(before), "added": added}))


if __name__ == "__main__":
    main()
