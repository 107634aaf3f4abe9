"""Which samples share a row, and the arrays of a batch that is packed so."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from maskplug.collate import pad
from maskplug.ragged import Ragged, gather
from maskplug.targets import IGNORE
from maskplug.types import IntArray, lengths_of, offsets_of, readonly
from maskplug_hf.outputs import Arrays, Outputs


@dataclass(frozen=True, eq=False)
class Packing:
    """Rows of whole samples.

    Attributes:
        order: int64, all samples in the order in which they stand.
        rows: int64 offsets into ``order``: row r holds the samples ``order[rows[r]:rows[r + 1]]``.
    """

    order: IntArray
    rows: IntArray

    @classmethod
    def of(cls, lengths: IntArray, room: int) -> Packing:
        """Few rows: the longest sample first, each into the first row where it fits.

        Rows, and the samples within them, stand in the order of the batch all the same.

        Args:
            lengths: of the samples, none above ``room``.
            room: how many tokens a row may have.

        Example:
            >>> packing = Packing.of(np.array([3, 5, 2, 3]), room=8)
            >>> packing.order.tolist(), packing.rows.tolist()
            ([0, 1, 2, 3], [0, 2, 4])
        """
        from maskplug.kernels.bins import first_fit

        longest = np.argsort(-lengths, kind="stable")
        row_of = first_fit(readonly(lengths, np.int64), readonly(longest, np.int64), room)
        _, firsts, row_of = np.unique(row_of, return_index=True, return_inverse=True)
        place = np.argsort(np.argsort(firsts))[row_of]
        return cls(np.argsort(place, kind="stable"), offsets_of(np.bincount(place)))

    @property
    def numbers(self) -> IntArray:
        """The number of each sample within its row: int64, in the order of the batch."""
        numbers = np.empty(len(self.order), np.int64)
        numbers[self.order] = _counted(self.rows)
        return numbers


def _counted(offsets: IntArray) -> IntArray:
    """0, 1, 2, … in every row.

    Example:
        >>> _counted(np.array([0, 2, 5])).tolist()
        [0, 1, 0, 1, 2]
    """
    return np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths_of(offsets))


@dataclass(frozen=True, eq=False)
class PackedOutputs(Outputs):
    """The arrays of one batch, several samples a row.

    Args:
        room: how many tokens a row may have.
    """

    room: int = field(kw_only=True)

    @cached_property
    def packing(self) -> Packing:
        """Which samples share a row."""
        return Packing.of(self.shown.lengths, self.room)

    @cached_property
    def lengths(self) -> IntArray:
        """How many tokens each row has."""
        return lengths_of(self._places[1])

    def pad(self, rows: Ragged, fill: int, width: int | None = None) -> np.ndarray[Any, Any]:
        """One value a token, sample by sample, as packed rows; see ``Outputs.pad``."""
        index, offsets = self._places
        return super().pad(Ragged(rows.values[index], offsets), fill, width)

    @cached_property
    def _places(self) -> tuple[IntArray, IntArray]:
        """Where each token of the packed rows stood, and these rows' offsets."""
        index, offsets = gather(self.shown.offsets, self.packing.order)
        return index, offsets[self.packing.rows]

    def sample_keys(self) -> IntArray:
        """The bits of the samples' keys, one for each token; 0 on padding."""
        keys = np.repeat(super().sample_keys(), self.shown.lengths)
        return self.pad(self.shown.rows(keys, 0), 0, self.width)

    def layers(self) -> Arrays:
        """Where each token stands in its document, which document that is, and other layers."""
        documents = np.repeat(self.packing.numbers, self.shown.lengths)
        arrays = {"document_ids": self.pad(self.shown.rows(documents, -1), -1, self.width)}
        if self._takes("position_ids"):
            arrays["position_ids"] = self._layer("position_ids", _counted(self.shown.offsets))
        return arrays | super().layers()

    def per_sample(self, values: IntArray) -> IntArray:
        """One number for each document of a row, 0 where it has fewer: (rows, most documents)."""
        return pad(Ragged(values[self.packing.order], self.packing.rows), 0)

    def labels(self, values: IntArray) -> IntArray:
        """Labels in place; none for a document's first token where the one before predicts it."""
        if self.model is not None and self.model.shifts:
            begun = self.shown.offsets[:-1][self.shown.lengths > 0]
            values = values.copy()
            values[begun] = IGNORE
        return super().labels(values)

    def own_labels(self, values: IntArray) -> IntArray:
        """The features' labels; see ``labels`` for a document's first token."""
        return self.labels(self.shown.followed(values, "labels", IGNORE).values)
