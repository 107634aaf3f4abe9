"""Puts parts of a batch, masked apart, back in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from maskplug.errors import OptionError
from maskplug.ragged import Ragged
from maskplug.tokens import ABSENT, Masked, Selection, TokenBatch
from maskplug.types import IntArray, lengths_of, offsets_of, readonly

Parts = Sequence[tuple[IntArray, Masked]]


def assemble(tokens: TokenBatch, parts: Parts) -> Masked:
    """One result from results for disjoint groups of rows that together are the batch.

    Args:
        tokens: the whole batch.
        parts: the numbers of the rows, and what became of them.

    Raises:
        OptionError: when some have labels in place and others targets.
    """
    results = [masked for _, masked in parts]
    for name in ("labels", "targets"):
        if len({getattr(masked, name) is None for masked in results}) > 1:
            raise OptionError(
                f"some strategies of the mixture give {name} and others do not; mix those that "
                "predict in place, or those that generate targets"
            )
    into = _Rows(readonly(np.concatenate([rows for rows, _ in parts]), np.int64))
    shifts = np.concatenate([_shifts(tokens, rows) for rows, _ in parts])
    # Row i of the batch is row back[i] of all the parts, one after the other.
    back = np.argsort(into.rows, kind="stable")
    return Masked(
        _inputs([masked.inputs for masked in results], into, shifts),
        _selection([masked.selection for masked in results], into, shifts, len(tokens.ids)),
        _ids([masked.labels for masked in results], into),
        _ids([masked.targets for masked in results], into),
        _weights(results, back),
        _layers([(masked.inputs, masked.annotations) for masked in results], back),
        _layers([(masked.targets, masked.target_annotations) for masked in results], back),
        divisors=_divisors(results, back),
    )


@dataclass(frozen=True, eq=False)
class _Rows:
    """Where the rows of all parts, one part after the other, stand in the batch."""

    rows: IntArray

    def put(
        self,
        values: Sequence[IntArray],
        offsets: Sequence[IntArray],
        shifts: IntArray | None = None,
    ) -> tuple[IntArray, IntArray]:
        """Values and offsets of the batch, from those of its parts; see ``kernels.rows``."""
        from maskplug.kernels.rows import put_rows

        own = np.concatenate([lengths_of(bounds) for bounds in offsets])
        lengths = np.empty_like(own)
        lengths[self.rows] = own
        whole = offsets_of(lengths)
        out: IntArray = np.empty(whole[-1], np.int64)
        put_rows(
            out,
            readonly(whole, np.int64),
            self.rows,
            readonly(np.concatenate(values), np.int64),
            readonly(offsets_of(own), np.int64),
            readonly(np.zeros_like(own) if shifts is None else shifts, np.int64),
        )
        return out, whole


def _shifts(tokens: TokenBatch, rows: IntArray) -> IntArray:
    """How far each row of a part stood from its place in the batch."""
    return tokens.offsets[:-1][rows] - offsets_of(tokens.lengths[rows])[:-1]


def _inputs(parts: Sequence[Ragged], into: _Rows, shifts: IntArray) -> Ragged:
    offsets = [rows.offsets for rows in parts]
    made = into.put([rows.values for rows in parts], offsets)
    if all(rows.sources is None for rows in parts):
        return Ragged(*made)
    sources = [
        np.arange(len(rows.values)) if rows.sources is None else rows.sources for rows in parts
    ]
    return Ragged(*made, into.put(sources, offsets, shifts)[0])


def _selection(parts: Sequence[Selection], into: _Rows, shifts: IntArray, size: int) -> Selection:
    bounds = [spans.offsets for spans in parts]
    starts, offsets = into.put([spans.starts for spans in parts], bounds, shifts)
    lengths, _ = into.put([spans.lengths for spans in parts], bounds)
    return Selection(starts, lengths, offsets, size)


def _ids(parts: Sequence[Ragged | None], into: _Rows) -> Ragged | None:
    there = [rows for rows in parts if rows is not None]
    if not there:
        return None
    return Ragged(*into.put([rows.values for rows in there], [rows.offsets for rows in there]))


def _joined(rows: Sequence[Ragged]) -> Ragged:
    lengths = np.concatenate([one.lengths for one in rows])
    return Ragged(np.concatenate([one.values for one in rows]), offsets_of(lengths))


def _weights(results: Sequence[Masked], back: IntArray) -> Any:
    """Where only some have weights, the labels of the others weigh 1."""
    if all(masked.weights is None for masked in results):
        return None
    rows = []
    for masked in results:
        labels = masked.labels
        assert labels is not None  # weights come with labels, and all have them or none
        own = (labels.values >= 0).astype(float) if masked.weights is None else masked.weights
        rows.append(Ragged(own, labels.offsets))
    return _joined(rows).take(back).values


def _divisors(results: Sequence[Masked], back: IntArray) -> Any:
    """Where only some have divisors, those of plain labels are their number.

    Each row then has the loss that its own strategy gives it: a mean over its labels.
    """
    if all(masked.divisors is None for masked in results):
        return None
    return np.concatenate([_own_divisors(masked) for masked in results])[back]


def _own_divisors(masked: Masked) -> IntArray:
    labels = masked.labels
    assert labels is not None  # as weights
    if masked.divisors is not None:
        return masked.divisors
    if masked.weights is not None:
        return labels.lengths
    rows = np.repeat(np.arange(len(labels)), labels.lengths)
    return np.bincount(rows[labels.values >= 0], minlength=len(labels))


def _layers(
    given: Sequence[tuple[Ragged | None, Any]], back: IntArray
) -> dict[str, np.ndarray[Any, Any]]:
    """All layers; the value of ``ABSENT`` in the rows whose strategy has no such layer."""
    names = dict.fromkeys(name for _, annotations in given for name in annotations)
    made = {}
    for name in names:
        absent = ABSENT.get(name, 0)
        dtype = next(annotations[name].dtype for _, annotations in given if name in annotations)
        rows = [
            Ragged(annotations.get(name, np.full(len(ids.values), absent, dtype)), ids.offsets)
            for ids, annotations in given
            if ids is not None
        ]
        made[name] = _joined(rows).take(back).values
    return made
