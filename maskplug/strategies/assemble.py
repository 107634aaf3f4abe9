"""Merge the results of a mixture's strategies into one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from maskplug.errors import OptionError
from maskplug.ragged import Ragged
from maskplug.tokens import ABSENT, Masked, Selection, TokenBatch
from maskplug.types import IntArray, offsets_of, readonly

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
    rows = readonly(np.concatenate([rows for rows, _ in parts]), np.int64)
    # The offset of each row in the batch minus its offset in its group.
    shifts = tokens.offsets[:-1][rows] - np.concatenate(
        [offsets_of(tokens.lengths[rows])[:-1] for rows, _ in parts]
    )
    # Row i of the batch is row back[i] of the concatenated groups.
    back = np.argsort(rows, kind="stable")
    return Masked(
        _inputs([masked.inputs for masked in results], rows, shifts),
        _selection([masked.selection for masked in results], rows, shifts, len(tokens.ids)),
        _ids([masked.labels for masked in results], rows),
        _ids([masked.targets for masked in results], rows),
        _weights(results, back),
        _annotations([(masked.inputs, masked.annotations) for masked in results], back),
        _annotations([(masked.targets, masked.target_annotations) for masked in results], back),
        divisors=_divisors(results, back),
    )


def _put(rows: IntArray, groups: Sequence[Ragged], shifts: IntArray | None = None) -> Ragged:
    """Return the rows of all groups, row i as row ``rows[i]``; see ``kernels.rows.put_rows``."""
    from maskplug.kernels.rows import put_rows

    group_lengths = np.concatenate([group.lengths for group in groups])
    lengths = np.empty_like(group_lengths)
    lengths[rows] = group_lengths
    offsets = offsets_of(lengths)
    out: IntArray = np.empty(offsets[-1], np.int64)
    put_rows(
        out,
        readonly(offsets, np.int64),
        rows,
        readonly(np.concatenate([group.values for group in groups]), np.int64),
        readonly(offsets_of(group_lengths), np.int64),
        readonly(np.zeros_like(group_lengths) if shifts is None else shifts, np.int64),
    )
    return Ragged(out, offsets)


def _inputs(groups: Sequence[Ragged], rows: IntArray, shifts: IntArray) -> Ragged:
    ids = _put(rows, groups)
    if all(group.sources is None for group in groups):
        return ids
    sources = [
        Ragged(
            np.arange(len(group.values)) if group.sources is None else group.sources, group.offsets
        )
        for group in groups
    ]
    return replace(ids, sources=_put(rows, sources, shifts).values)


def _selection(
    groups: Sequence[Selection], rows: IntArray, shifts: IntArray, size: int
) -> Selection:
    starts = _put(rows, [Ragged(spans.starts, spans.offsets) for spans in groups], shifts)
    lengths = _put(rows, [Ragged(spans.lengths, spans.offsets) for spans in groups])
    return Selection(starts.values, lengths.values, starts.offsets, size)


def _ids(groups: Sequence[Ragged | None], rows: IntArray) -> Ragged | None:
    present = [group for group in groups if group is not None]
    return _put(rows, present) if present else None


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
    groups = []
    for masked in results:
        labels = masked.labels
        assert labels is not None  # as in _weights
        if masked.divisors is not None:
            groups.append(masked.divisors)
        elif masked.weights is not None:
            groups.append(labels.lengths)
        else:
            rows = np.repeat(np.arange(len(labels)), labels.lengths)
            groups.append(np.bincount(rows[labels.values >= 0], minlength=len(labels)))
    return np.concatenate(groups)[back]


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
