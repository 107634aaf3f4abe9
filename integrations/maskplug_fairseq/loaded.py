"""The rows of a batch, loaded together and not yet masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import torch

from maskplug.types import BoolArray, IntArray, offsets_of


def joined(rows: Sequence[torch.Tensor]) -> tuple[IntArray, IntArray]:
    """The ids of rows of int64, one row behind the other, and the rows' offsets."""
    return torch.cat(list(rows)).numpy(), offsets_of([row.numel() for row in rows])


@dataclass(frozen=True, eq=False)
class Loaded(Sequence[dict[str, Any]]):
    """Rows in flat arrays, so that nothing is done row by row; and a sequence of fairseq's items.

    Attributes:
        indices: int64, one a row.
        ids: int64, all rows one behind the other.
        offsets: int64, one longer than there are rows.
        line_begins: one bool for each token: True where a line begins; None where a row is a line.
        moments: int64, shape (rows, 2): when each is used, as epoch and step from 0.
    """

    indices: IntArray
    ids: IntArray
    offsets: IntArray
    line_begins: BoolArray | None
    moments: IntArray

    @classmethod
    def of(cls, items: Sequence[dict[str, Any]]) -> Loaded:
        """The rows of items, one at least."""
        begins = [item["line_begins"] for item in items]
        return cls(
            np.array([item["id"] for item in items], np.int64),
            *joined([item["source"] for item in items]),
            None if begins[0] is None else np.concatenate(begins),
            np.array([item["moment"] for item in items], np.int64),
        )

    def __len__(self) -> int:
        return len(self.indices)

    @overload
    def __getitem__(self, i: int) -> dict[str, Any]: ...

    @overload
    def __getitem__(self, i: slice) -> list[dict[str, Any]]: ...

    def __getitem__(self, i: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        if isinstance(i, slice):
            return [self[k] for k in range(*i.indices(len(self)))]
        here = slice(self.offsets[i], self.offsets[i + 1])
        return {
            "id": int(self.indices[i]),
            "source": torch.from_numpy(self.ids[here]),
            "line_begins": None if self.line_begins is None else self.line_begins[here],
            "moment": tuple(self.moments[i].tolist()),
        }
