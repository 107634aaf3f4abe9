"""Merge the results of a mixture's strategies into one batch."""

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
    """Merge the results for disjoint groups of rows that together form the batch.

    Args:
        tokens: the whole batch.
        parts: row numbers and result of each group.

    Raises:
        OptionError: if some results have labels in place and others have targets.
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
    # Row i of the batch is row back[i] of the concatenated groups.
    back = np.argsort(into.rows, kind="stable")
    return Masked(
        _inputs([masked.inputs for masked in results], into, shifts),
        _selection([masked.selection for masked in results], into, shifts, len(tokens.ids)),
        _ids([masked.labels for masked in results], into),
        _ids([masked.targets for masked in results], into),
        _weights(results, back),
        _annotations([(masked.inputs, masked.annotations) for masked in results], back),
        _annotations([(masked.targets, masked.target_annotations) for masked in results], back),
        divisors=_divisors(results, back),
    )


@dataclass(frozen=True, eq=False)
class _Rows:
    """The rows of all groups, concatenated, and their row numbers in the batch."""

    rows: IntArray

    def put(
        self,
        values: Sequence[IntArray],
        offsets: Sequence[IntArray],
        shifts: IntArray | None = None,
    ) -> tuple[IntArray, IntArray]:
        """Return values and offsets of the batch from those of its groups; see ``kernels.rows``."""
        from maskplug.kernels.rows import put_rows

        group_lengths = np.concatenate([lengths_of(bounds) for bounds in offsets])
        lengths = np.empty_like(group_lengths)
        lengths[self.rows] = group_lengths
        batch_offsets = offsets_of(lengths)
        out: IntArray = np.empty(batch_offsets[-1], np.int64)
        put_rows(
            out,
            readonly(batch_offsets, np.int64),
            self.rows,
            readonly(np.concatenate(values), np.int64),
            readonly(offsets_of(group_lengths), np.int64),
            readonly(np.zeros_like(group_lengths) if shifts is None else shifts, np.int64),
        )
        return out, batch_offsets


def _shifts(tokens: TokenBatch, rows: IntArray) -> IntArray:
    """Return the offset of each row of a group in the batch minus its offset in the group."""
    return tokens.offsets[:-1][rows] - offsets_of(tokens.lengths[rows])[:-1]


def _inputs(parts: Sequence[Ragged], into: _Rows, shifts: IntArray) -> Ragged:
    offsets = [rows.offsets for rows in parts]
    ids = into.put([rows.values for rows in parts], offsets)
    if all(rows.sources is None for rows in parts):
        return Ragged(*ids)
    sources = [
        np.arange(len(rows.values)) if rows.sources is None else rows.sources for rows in parts
    ]
    return Ragged(*ids, into.put(sources, offsets, shifts)[0])


def _selection(parts: Sequence[Selection], into: _Rows, shifts: IntArray, size: int) -> Selection:
    bounds = [spans.offsets for spans in parts]
    starts, offsets = into.put([spans.starts for spans in parts], bounds, shifts)
    lengths, _ = into.put([spans.lengths for spans in parts], bounds)
    return Selection(starts, lengths, offsets, size)


def _ids(parts: Sequence[Ragged | None], into: _Rows) -> Ragged | None:
    present = [rows for rows in parts if rows is not None]
    if not present:
        return None
    return Ragged(*into.put([rows.values for rows in present], [rows.offsets for rows in present]))


def _reordered(groups: Sequence[Ragged], back: IntArray) -> Any:
    """Return the values of all groups in the order of the batch."""
    lengths = np.concatenate([rows.lengths for rows in groups])
    rows = Ragged(np.concatenate([rows.values for rows in groups]), offsets_of(lengths))
    return rows.take(back).values


def _weights(results: Sequence[Masked], back: IntArray) -> Any:
    """Return all weights; labels of results without weights have the weight 1."""
    if all(masked.weights is None for masked in results):
        return None
    groups = []
    for masked in results:
        labels = masked.labels
        assert labels is not None  # weights require labels, and all results have them or none
        uniform = (labels.values >= 0).astype(float)
        weights = uniform if masked.weights is None else masked.weights
        groups.append(Ragged(weights, labels.offsets))
    return _reordered(groups, back)


def _divisors(results: Sequence[Masked], back: IntArray) -> Any:
    """Return all divisors; those of results without weights are their numbers of labels.

    Each row then has the loss that its own strategy gives it: a mean over its labels.
    """
    if all(masked.divisors is None for masked in results):
        return None
    return np.concatenate([_divisors_of(masked) for masked in results])[back]


def _divisors_of(masked: Masked) -> IntArray:
    labels = masked.labels
    assert labels is not None  # as in _weights
    if masked.divisors is not None:
        return masked.divisors
    if masked.weights is not None:
        return labels.lengths
    rows = np.repeat(np.arange(len(labels)), labels.lengths)
    return np.bincount(rows[labels.values >= 0], minlength=len(labels))


def _annotations(
    results: Sequence[tuple[Ragged | None, Any]], back: IntArray
) -> dict[str, np.ndarray[Any, Any]]:
    """Return all annotations, with the value of ``ABSENT`` in rows whose result has no such one."""
    names = dict.fromkeys(name for _, annotations in results for name in annotations)
    merged = {}
    for name in names:
        absent = ABSENT.get(name, 0)
        dtype = next(annotations[name].dtype for _, annotations in results if name in annotations)
        groups = [
            Ragged(annotations.get(name, np.full(len(ids.values), absent, dtype)), ids.offsets)
            for ids, annotations in results
            if ids is not None
        ]
        merged[name] = _reordered(groups, back)
    return merged
