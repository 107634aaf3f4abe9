"""Rows of one text or of several under one numbering: their keys, sizes and order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from fairseq.data import FairseqDataset

from maskplug import Rng, derive
from maskplug.ragged import gather
from maskplug.types import IntArray, UintArray, lengths_of, offsets_of
from maskplug_fairseq.loaded import Loaded

Bounds = Callable[[IntArray], tuple[IntArray, IntArray]]


class Rows(FairseqDataset):  # type: ignore[misc]
    """The rows of several texts, each known by its number in its text.

    The key of a row is that number; where texts have names, ``derive(number, name)``. A text may
    come more than once in an epoch: index ``i + n * len(rows)`` is row i for the n-th time, with
    the key ``derive(key, "copy n")``.

    Args:
        texts: rows by name (a language), see ``CutText``; "" for a text without a name.
        bounds: from sizes to the greatest sizes of what masking makes of them; a strategy's.
        seed: of the order of rows of equal size and of which rows come once more; fairseq's.
        alpha: an epoch has rows of each text in proportion to their number to this power.
    """

    def __init__(
        self, texts: Mapping[str, Any], bounds: Bounds, seed: int = 1, alpha: float = 1.0
    ) -> None:
        super().__init__()
        self.names = tuple(texts)
        self.texts = tuple(texts.values())
        self.bounds = bounds
        self.seed = seed % (1 << 64)
        self.alpha = alpha
        self.starts = offsets_of([len(text) for text in self.texts])
        self.epoch = 1

    def __len__(self) -> int:
        return int(self.starts[-1])

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.load(np.array([index]), np.zeros((1, 2), np.int64))[0]

    def load(self, indices: IntArray, moments: IntArray) -> Loaded:
        """The rows of these indices, to be masked at these moments (see ``Loaded``)."""
        texts, numbers = self.place(indices)
        present = sorted(set(texts.tolist()))
        parts = [self.texts[which].load(numbers[texts == which]) for which in present]
        if len(parts) == 1:
            ids, offsets, begins = parts[0]
            return Loaded(indices, ids, offsets, begins, moments)
        # Text by text, they are not in the order that was asked for.
        asked = np.argsort(np.argsort(texts, kind="stable"))
        together = offsets_of(np.concatenate([lengths_of(part[1]) for part in parts]))
        places, offsets = gather(together, asked)
        ids = np.concatenate([part[0] for part in parts])[places]
        lines = [part[2] for part in parts]
        begins = None if lines[0] is None else np.concatenate(lines)[places]
        return Loaded(indices, ids, offsets, begins, moments)

    def place(self, indices: IntArray) -> tuple[IntArray, IntArray]:
        """The text of each index, and the number of its row there: int64."""
        rows = indices % len(self)
        text = np.searchsorted(self.starts, rows, side="right") - 1
        return text, rows - self.starts[text]

    def keys(self, indices: IntArray) -> UintArray:
        """The key of each index: uint64."""
        text, numbers = self.place(indices)
        keys = numbers.astype(np.uint64)
        for which in set(text.tolist()):
            if self.names[which]:
                here = text == which
                keys[here] = derive(keys[here], self.names[which])
        copies = indices // len(self)
        for copy in set(copies.tolist()) - {0}:
            here = copies == copy
            keys[here] = derive(keys[here], f"copy {copy}")
        return keys

    @cached_property
    def sizes(self) -> Any:
        """Tokens of every row before masking, in as few bytes as they need."""
        return np.concatenate([np.asarray(text.sizes) for text in self.texts])

    def longest(self, indices: Any) -> tuple[IntArray, IntArray]:
        """The greatest lengths of inputs and of predictions: int64, one for each index."""
        return self.bounds(self.sizes[np.asarray(indices) % len(self)].astype(np.int64))

    def size(self, index: int) -> tuple[int, int]:
        """The greatest lengths of a row's input and prediction."""
        inputs, outputs = self.longest([index])
        return int(inputs[0]), int(outputs[0])

    def num_tokens(self, index: int) -> int:
        """What a row counts for ``--max-tokens``."""
        return max(self.size(index))

    def num_tokens_vec(self, indices: Any) -> IntArray:
        """What rows count for ``--max-tokens``: int64, one for each index."""
        counts: IntArray = np.maximum(*self.longest(indices))
        return counts

    def filter_indices_by_size(self, indices: Any, max_sizes: Any) -> tuple[Any, list[int]]:
        """The indices whose rows fit after masking, and the others."""
        limits = max_sizes if isinstance(max_sizes, tuple | list) else (max_sizes, max_sizes)
        fits = np.ones(len(indices), np.bool_)
        for sizes, limit in zip(self.longest(indices), limits, strict=True):
            fits &= sizes <= (np.inf if limit is None else limit)
        return indices[fits], indices[~fits].tolist()

    def ordered_indices(self) -> IntArray:
        """The indices of this epoch: by size, and at random among rows of one size."""
        indices = self._drawn() if self.resampled else np.arange(len(self))
        order = Rng.at(self.seed, 0, [0]).bits("row order", [len(indices)])
        sizes = self.sizes[indices % len(self)]
        return np.asarray(indices[np.lexsort((order, sizes))])

    @property
    def resampled(self) -> bool:
        """Whether an epoch has some rows more than once, or not at all."""
        return self.alpha != 1.0 and len(self.texts) > 1

    @property
    def can_reuse_epoch_itr_across_epochs(self) -> bool:
        """Whether every epoch has the same rows."""
        return not self.resampled

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch, counted from 1, whose rows ``ordered_indices`` gives."""
        self.epoch = epoch

    def counts(self) -> IntArray:
        """How many rows of each text an epoch has: int64.

        Source: Conneau and Lample, "Cross-lingual language model pretraining", 2019.
        """
        sizes = np.diff(self.starts)
        weights = sizes.astype(np.float64) ** self.alpha
        counts: IntArray = np.ceil(len(self) * (weights / weights.sum())).astype(np.int64)
        return counts

    def _drawn(self) -> IntArray:
        """Every row as often as every other one, and those that are left over, drawn anew."""
        found = []
        for name, start, size, count in zip(
            self.names, self.starts, np.diff(self.starts), self.counts(), strict=False
        ):
            rounds, rest = divmod(int(count), int(size))
            words = Rng.at(self.seed, self.epoch - 1, [name]).bits("resampling", [int(size)])
            some = np.argsort(words, kind="stable")[:rest]
            whole = np.arange(rounds * size)
            numbers = np.concatenate((whole % size, some))
            copies = np.concatenate((whole // size, np.full(rest, rounds)))
            found.append(copies * len(self) + start + numbers)
        return np.concatenate(found)
