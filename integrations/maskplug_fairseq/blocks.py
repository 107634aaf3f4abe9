"""Binarized text of one language, cut into rows of tokens."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from fairseq.data import BaseWrapperDataset, TokenBlockDataset, data_utils
from fairseq.data.indexed_dataset import MMapIndexedDataset

from maskplug.ragged import ranges
from maskplug.types import BoolArray, IntArray, offsets_of
from maskplug_fairseq.flat import FlatText
from maskplug_fairseq.loaded import joined


class BareLines(BaseWrapperDataset):  # type: ignore[misc]
    """The lines of a text without the end-of-sequence token that fairseq-preprocess gives each.

    ``StripTokenDataset`` keeps the old sizes, by which blocks would be cut in the wrong places.
    """

    @property
    def sizes(self) -> Any:
        """Tokens of every line."""
        return self.dataset.sizes - 1

    def __getitem__(self, index: int) -> torch.Tensor:
        line: torch.Tensor = self.dataset[index][:-1]
        return line


class CutText:
    """Rows of text: tensors of int64, with their ``sizes`` and the lines that they are made of.

    Args:
        lines: the lines of the text.
        before, after: the special tokens around each row.
        blocks: what stands between them, and which lines that is; None where a row is a line.
    """

    def __init__(
        self, lines: Any, before: tuple[int, ...], after: tuple[int, ...], blocks: Any = None
    ) -> None:
        self.rows = lines if blocks is None else blocks
        self.blocks = blocks
        self.before = torch.tensor(before, dtype=torch.int64)
        self.after = torch.tensor(after, dtype=torch.int64)
        self.sizes = np.asarray(self.rows.sizes, np.int32) + len(before) + len(after)
        self.starts = offsets_of(lines.sizes)
        self.flat = _flat(lines, self.starts)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.cat((self.before, self.rows[index], self.after))

    def load(self, numbers: IntArray) -> tuple[IntArray, IntArray, BoolArray | None]:
        """Rows by their numbers, in this order, together where the file's format allows.

        Returns:
            Their ids and offsets, and whether a line begins at each token; None where a row is one.
        """
        firsts, ends = self._stretches(numbers)
        if self.flat is None:
            ids, offsets = joined([self[number] for number in numbers.tolist()])
        else:
            ids, offsets = self.flat.read(firsts, ends, len(self.before), len(self.after))
            for i, special in enumerate(self.before.tolist()):
                ids[offsets[:-1] + i] = special
            for i, special in enumerate(self.after.tolist(), -len(self.after)):
                ids[offsets[1:] + i] = special
        if self.blocks is None:
            return ids, offsets, None
        bounds = np.searchsorted(self.starts[:-1], (firsts, ends))
        counts = bounds[1] - bounds[0]
        shifts = offsets[:-1] + len(self.before) - firsts
        begins = np.zeros(len(ids), np.bool_)
        begins[self.starts[ranges(bounds[0], counts)[0]] + np.repeat(shifts, counts)] = True
        return ids, offsets, begins

    def _stretches(self, numbers: IntArray) -> tuple[IntArray, IntArray]:
        """Where rows begin and end in the text, whose lines stand one behind the other: int64."""
        if self.blocks is None:
            return self.starts[numbers], self.starts[numbers + 1]
        firsts, ends = self.blocks.slice_indices[numbers].astype(np.int64).T
        return firsts, ends


def _flat(lines: Any, starts: IntArray) -> FlatText | None:
    """The lines as one row of tokens; None where they are not in one memory-mapped file."""
    bare = isinstance(lines, BareLines)
    file = lines.dataset if bare else lines
    return FlatText(file, starts, int(bare)) if isinstance(file, MMapIndexedDataset) else None


@dataclass(frozen=True)
class Cut:
    """How text is cut into rows, and what stands around each row.

    Attributes:
        mode: "none", "complete", "complete_doc" or "eos"; see ``--sample-break-mode``.
        tokens: the most tokens of a row, special ones included; a longer line stays whole.
        before, after: ids at the beginning and at the end of every row.
        bare: whether the lines' own end-of-sequence tokens are left out.
    """

    mode: str
    tokens: int
    before: tuple[int, ...]
    after: tuple[int, ...] = ()
    bare: bool = False

    def rows(self, folder: str, split: str, dictionary: Any, combine: bool = False) -> CutText:
        """The rows of a split.

        Raises:
            FileNotFoundError: when the folder has no such split.
        """
        path = os.path.join(folder, split)
        rows = data_utils.load_indexed_dataset(path, dictionary, combine=combine)
        if rows is None:
            raise FileNotFoundError(f"no binarized text at {path}.bin and {path}.idx")
        lines = BareLines(rows) if self.bare else rows
        if self.mode == "eos":  # fairseq's own way to say that a row is a line fails on numpy 2
            return CutText(lines, self.before, self.after)
        blocks = TokenBlockDataset(
            lines,
            np.asarray(lines.sizes),
            self.tokens - len(self.before) - len(self.after),
            pad=dictionary.pad(),
            eos=dictionary.eos(),
            break_mode=self.mode,
            document_sep_len=0 if self.bare else 1,
        )
        return CutText(lines, self.before, self.after, blocks)
