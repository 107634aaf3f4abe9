"""Binarized text of one language, cut into rows of tokens."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from fairseq.data import (
    AppendTokenDataset,
    BaseWrapperDataset,
    PrependTokenDataset,
    TokenBlockDataset,
    data_utils,
)


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

    def rows(self, folder: str, split: str, dictionary: Any, combine: bool = False) -> Any:
        """A dataset of rows (tensors of int64), with their ``sizes``.

        Raises:
            FileNotFoundError: when the folder has no such split.
        """
        path = os.path.join(folder, split)
        rows = data_utils.load_indexed_dataset(path, dictionary, combine=combine)
        if rows is None:
            raise FileNotFoundError(f"no binarized text at {path}.bin and {path}.idx")
        rows = BareLines(rows) if self.bare else rows
        if self.mode != "eos":  # a row is a line; fairseq's own way to say so fails on numpy 2
            rows = TokenBlockDataset(
                rows,
                np.asarray(rows.sizes),
                self.tokens - len(self.before) - len(self.after),
                pad=dictionary.pad(),
                eos=dictionary.eos(),
                break_mode=self.mode,
                document_sep_len=0 if self.bare else 1,
            )
        for token in reversed(self.before):
            rows = PrependTokenDataset(rows, token)
        for token in self.after:
            rows = AppendTokenDataset(rows, token)
        return rows
