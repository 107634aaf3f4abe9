"""Binarized text of one language, cut into rows of tokens."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from fairseq.data import BaseWrapperDataset, TokenBlockDataset, data_utils

from maskplug.arrays import IntArray, offsets_of


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
        rows: what stands between the special tokens of each row.
        before, after: the special tokens.
        line_sizes: tokens of every line; None where a row is a line.
    """

    def __init__(
        self, rows: Any, before: tuple[int, ...], after: tuple[int, ...], line_sizes: Any = None
    ) -> None:
        self.rows = rows
        self.before = torch.tensor(before, dtype=torch.int64)
        self.after = torch.tensor(after, dtype=torch.int64)
        self.sizes = np.asarray(rows.sizes, np.int32) + len(before) + len(after)
        self.lines = None if line_sizes is None else offsets_of(line_sizes)[:-1]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.cat((self.before, self.rows[index], self.after))

    def line_starts(self, index: int) -> IntArray | None:
        """Where lines begin in a row: int64; None where a row is a line."""
        if self.lines is None:
            return None
        first, end = map(int, self.rows.slice_indices[index])
        inside = slice(*np.searchsorted(self.lines, (first, end)))
        starts: IntArray = self.lines[inside] - first + len(self.before)
        return starts


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
        sizes = np.asarray(lines.sizes)
        blocks = TokenBlockDataset(
            lines,
            sizes,
            self.tokens - len(self.before) - len(self.after),
            pad=dictionary.pad(),
            eos=dictionary.eos(),
            break_mode=self.mode,
            document_sep_len=0 if self.bare else 1,
        )
        return CutText(blocks, self.before, self.after, sizes)
