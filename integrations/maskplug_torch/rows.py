"""How samples share the rows of a batch: one sample per row, or several packed into a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from maskplug.arrays import IntArray, frozen, gather, lengths_of, offsets_of
from maskplug.collate import Side, pad, padded_width
from maskplug.errors import TokenError
from maskplug.ragged import Ragged
from maskplug_torch.layout import OutputLayout


@dataclass(frozen=True)
class Padding:
    """How batches are padded.

    Attributes:
        pad_id: the id that fills ``input_ids``.
        side: the side on which padding is added.
        multiple_of: widths are rounded up to a multiple of it.
        token_type_id: the id that fills ``token_type_ids``.
        attention_mask: whether batches of mappings always have an attention mask.
    """

    pad_id: int
    side: Side = "right"
    multiple_of: int | None = None
    token_type_id: int = 0
    attention_mask: bool = True

    def width(self, lengths: IntArray) -> int:
        """Return the width of rows of these lengths, at least 1."""
        return padded_width(np.maximum(lengths, 1), self.multiple_of)

    def pad(self, rows: Ragged, fill: int, width: int | None = None) -> np.ndarray[Any, Any]:
        """Return rows padded to a width, or to the longest row; int64, or float32 for floats."""
        width = self.width(rows.lengths) if width is None else width
        array = pad(rows, fill, width, self.side)
        return array.astype(np.float32) if array.dtype.kind == "f" else array


class Rows(Protocol):
    """The rows of one batch, and how values get there.

    Attributes:
        lengths: how many tokens each row has.
        width: the width of every array that is aligned with the inputs.
        documents: for packed rows, the number of each sample within its row, in batch order.
    """

    lengths: IntArray
    width: int
    documents: IntArray | None

    def pad(self, values: Ragged, fill: int) -> np.ndarray[Any, Any]:
        """Return one value per token, sample by sample, as padded rows."""

    def per_sample(self, values: IntArray) -> IntArray:
        """Return one number per sample as an array with one entry per row."""

    def sample_keys(self, keys: IntArray) -> IntArray:
        """Return the bits of the samples' keys."""


class PaddedRows:
    """One sample per row."""

    documents = None

    def __init__(self, layout: OutputLayout, padding: Padding) -> None:
        self.padding = padding
        self.lengths = layout.lengths
        self.width = padding.width(self.lengths)

    def pad(self, values: Ragged, fill: int) -> np.ndarray[Any, Any]:
        """See :class:`Rows`."""
        return self.padding.pad(values, fill, self.width)

    def per_sample(self, values: IntArray) -> IntArray:
        """See :class:`Rows`: int64, of shape (samples,)."""
        return values.copy()

    def sample_keys(self, keys: IntArray) -> IntArray:
        """See :class:`Rows`: int64, of shape (samples,)."""
        return keys.copy()


class PackedRows:
    """Several samples per row."""

    def __init__(self, layout: OutputLayout, padding: Padding, max_length: int) -> None:
        self.padding, self.layout = padding, layout
        self.packing = Packing.of(layout.lengths, max_length)
        self.documents = self.packing.numbers
        #: Where each token of the packed rows stands in the layout, and the offsets of the rows.
        self._index, offsets = gather(layout.offsets, self.packing.order)
        self._offsets = offsets[self.packing.rows]
        self.lengths = lengths_of(self._offsets)
        self.width = padding.width(self.lengths)

    def pad(self, values: Ragged, fill: int) -> np.ndarray[Any, Any]:
        """See :class:`Rows`."""
        rows = Ragged(values.values[self._index], self._offsets)
        return self.padding.pad(rows, fill, self.width)

    def per_sample(self, values: IntArray) -> IntArray:
        """See :class:`Rows`: (rows, most documents), 0 where a row has fewer documents."""
        return pad(Ragged(values[self.packing.order], self.packing.rows), 0)

    def sample_keys(self, keys: IntArray) -> IntArray:
        """See :class:`Rows`: one key per token, 0 on padding."""
        return self.pad(self.layout.rows(np.repeat(keys, self.layout.lengths), 0), 0)


def place(layout: OutputLayout, padding: Padding, max_length: int | None) -> Rows:
    """Return the rows of a batch: one sample per row, or packed if there is a ``max_length``.

    Raises:
        TokenError: when a sample does not fit into a packed row.
    """
    if max_length is None:
        return PaddedRows(layout, padding)
    long = np.flatnonzero(layout.lengths > max_length)
    if len(long):
        key = layout.features.tokens.keys[long[0]]
        raise TokenError(
            f"feature {long[0]} (sample key {key}) has {layout.lengths[long[0]]} tokens, and "
            f"max_length is {max_length}: truncate samples when they are tokenized "
            "(tokenizer(…, truncation=True, max_length=…)), drop this one, or allow longer "
            "rows; packing does not truncate"
        )
    return PackedRows(layout, padding, max_length)


@dataclass(frozen=True, eq=False)
class Packing:
    """Which samples share a row.

    Attributes:
        order: int64, all samples in the order in which they stand in the rows.
        rows: int64 offsets into ``order``: row r holds the samples ``order[rows[r]:rows[r + 1]]``.
    """

    order: IntArray
    rows: IntArray

    @classmethod
    def of(cls, lengths: IntArray, max_length: int) -> Packing:
        """Pack samples first-fit decreasing: longest first, each into the first row with room.

        Rows, and the samples within them, keep the order of the batch.

        Args:
            lengths: of the samples, none above ``max_length``.
            max_length: tokens per row.

        Example:
            >>> packing = Packing.of(np.array([3, 5, 2, 3]), max_length=8)
            >>> packing.order.tolist(), packing.rows.tolist()
            ([0, 1, 2, 3], [0, 2, 4])
        """
        from maskplug.kernels.bins import first_fit

        longest = np.argsort(-lengths, kind="stable")
        row_of = first_fit(frozen(lengths, np.int64), frozen(longest, np.int64), max_length)
        _, firsts, row_of = np.unique(row_of, return_index=True, return_inverse=True)
        row = np.argsort(np.argsort(firsts))[row_of]
        return cls(np.argsort(row, kind="stable"), offsets_of(np.bincount(row)))

    @property
    def numbers(self) -> IntArray:
        """The number of each sample within its row: int64, in the order of the batch."""
        numbers = np.empty(len(self.order), np.int64)
        numbers[self.order] = positions(self.rows)
        return numbers


def positions(offsets: IntArray) -> IntArray:
    """Return the position of each value in its row.

    Example:
        >>> positions(np.array([0, 2, 5])).tolist()
        [0, 1, 0, 1, 2]
    """
    return np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths_of(offsets))
