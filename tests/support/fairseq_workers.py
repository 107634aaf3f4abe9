"""A script: what fairseq's workers compile when the kernel cache was empty before."""

from __future__ import annotations

import json
import os
from typing import Any

import torch
from fairseq.data import Dictionary, LanguagePairDataset, ListDataset
from fairseq.data.iterators import EpochBatchIterator

import maskplug
from maskplug_fairseq import MaskedPairDataset, vocabulary
from maskplug_fairseq.epoch import Calendar, carry_time
from support.compiling import Watched, gathered, kept

ROWS = 32


def dataset() -> MaskedPairDataset:
    """Pairs whose sources are masked, with a strategy that was tried as the tasks try theirs."""
    words = Dictionary()
    for i in range(50):
        words.add_symbol(f"w{i}")
    words.add_symbol("<mask>")
    rows = [torch.tensor([*range(4, 7 + i), 2]) for i in range(ROWS)]
    texts = ListDataset(rows, [len(row) for row in rows])
    pairs = LanguagePairDataset(texts, texts.sizes, words, texts, texts.sizes, words)
    strategy = maskplug.strategy("dynamic", rate=0.3)
    vocab = vocabulary(words)
    strategy.dry_run(vocab)
    return MaskedPairDataset(pairs, strategy, seed=1, source=vocab)


def main() -> None:
    """Print as JSON what was compiled in workers of each kind, and which files they added."""
    folder = os.environ["NUMBA_CACHE_DIR"]
    assert not kept(folder)
    data = dataset()
    found: dict[str, Any] = {}
    before = kept(folder)
    batches = [list(range(i, i + 2)) for i in range(0, ROWS, 2)]
    for method in ("fork", "spawn"):
        torch.multiprocessing.set_start_method(method, force=True)
        iterator = EpochBatchIterator(data, Watched(data.collater), batches, num_workers=2)
        carry_time(iterator, Calendar())  # as the tasks do
        found[method] = gathered(iterator.next_epoch_itr(shuffle=True))
    found["kept"] = len(before)
    found["added"] = sorted(set(kept(folder)) - set(before))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
