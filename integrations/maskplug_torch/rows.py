"""How samples share the rows of a batch: one sample per row, or several packed into a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from maskplug.collate import Side, pad, padded_width
from maskplug.errors import TokenError
from maskplug.ragged import Ragged, gather
from maskplug.types import IntArray, lengths_of, offsets_of, readonly
from maskplug_torch.layout import OutputLayout


@dataclass(frozen=True)
class Padding:
    """How batches are padded: ids on one side, up to a multiple of a width.

    ``token_type_id`` fills ``token_type_ids``; ``attention_mask`` tells whether batches of
    mappings always have an attention mask.
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
        """Return rows padded to a width, by default of the longest: int64, float32 for floats."""
        array = pad(rows, fill, self.width(rows.lengths) if width is None else width, self.side)
        return array.astype(np.float32) if array.dtype.kind == "f" else array


class Rows:
    """One sample per row.

    Attributes:
        lengths: how many tokens each row has.
        width: the width of every array that is aligned with the inputs.
        documents: for packed rows, the number of each sample within its row, in batch order.
    """

    documents: IntArray | None = None

    def __init__(self, layout: OutputLayout, padding: Padding) -> None:
        self.padding = padding
        self.lengths: IntArray = layout.lengths
        self.width = padding.width(self.lengths)

    def pad(self, values: Ragged, fill: int) -> np.ndarray[Any, Any]:
        """Return one value per token, sample by sample, as padded rows."""
        return self.padding.pad(values, fill, self.width)

    def per_sample(self, values: IntArray) -> IntArray:
        """Return one number per sample: (samples,); for packed rows (rows, most documents)."""
        return values.copy()

    def sample_keys(self, keys: IntArray) -> IntArray:
        """Return one key per sample; for packed rows one per token, 0 on padding."""
        return keys.copy()


class PackedRows(Rows):
    """Several samples per row of up to ``max_length`` tokens; every sample stays whole.

    Raises:
        TokenError: when a sample does not fit into a row.
    """

    def __init__(self, layout: OutputLayout, padding: Padding, max_length: int) -> None:
        long = np.flatnonzero(layout.lengths > max_length)
        if len(long):
            key = layout.features.tokens.keys[long[0]]
            raise TokenError(
                f"feature {long[0]} (sample key {key}) has {layout.lengths[long[0]]} tokens, and "
                f"max_length is {max_length}: truncate samples when they are tokenized "
                "(tokenizer(…, truncation=True, max_length=…)), drop this one, or allow longer "
                "rows; packing does not truncate"
            )
        self.padding, self.layout = padding, layout
        self.order, self.rows = pack(layout.lengths, max_length)
        self.documents = np.empty(len(self.order), np.int64)
        self.documents[self.order] = positions(self.rows)
        self._index, offsets = gather(layout.offsets, self.order)
        self._offsets = offsets[self.rows]
        self.lengths = lengths_of(self._offsets)
        self.width = padding.width(self.lengths)

    def pad(self, values: Ragged, fill: int) -> np.ndarray[Any, Any]:  # noqa: D102
        return super().pad(Ragged(values.values[self._index], self._offsets), fill)

    def per_sample(self, values: IntArray) -> IntArray:  # noqa: D102
        return pad(Ragged(values[self.order], self.rows), 0)

    def sample_keys(self, keys: IntArray) -> IntArray:  # noqa: D102
        return self.pad(self.layout.rows(np.repeat(keys, self.layout.lengths), 0), 0)


def pack(lengths: IntArray, max_length: int) -> tuple[IntArray, IntArray]:
    """Pack samples first-fit decreasing: longest first, each into the first row with room.

    Args:
        lengths: of the samples, none above ``max_length``.
        max_length: tokens per row.

    Returns:
        The order of the samples, int64, and int64 offsets into it: row r holds the samples
        ``order[rows[r]:rows[r + 1]]``. Rows, and the samples in them, keep the batch's order.

    Example:
        >>> order, rows = pack(np.array([3, 5, 2, 3]), max_length=8)
        >>> order.tolist(), rows.tolist()
        ([0, 1, 2, 3], [0, 2, 4])
    """
    from maskplug.kernels.rows import first_fit

    longest = np.argsort(-lengths, kind="stable")
    row_of = first_fit(readonly(lengths, np.int64), readonly(longest, np.int64), max_length)
    _, firsts, row_of = np.unique(row_of, return_index=True, return_inverse=True)
    row = np.argsort(np.argsort(firsts))[row_of]
    return np.argsort(row, kind="stable"), offsets_of(np.bincount(row))


def positions(offsets: IntArray) -> IntArray:
    """Return the position of each value in its row: 0, 1, 2 and so on."""
    return np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths_of(offsets))
