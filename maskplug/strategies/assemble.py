"""Puts parts of a batch, masked apart, back in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from maskplug.arrays import IntArray, gather, offsets_of
from maskplug.errors import OptionError
from maskplug.ragged import Ragged
from maskplug.tokens import ABSENT, Masked, Selection, TokenBatch

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
    # Row i of the batch is row back[i] of all the parts, one after the other.
    back = np.argsort(np.concatenate([rows for rows, _ in parts]), kind="stable")
    inputs = _inputs(tokens, parts, back)
    labels = _rows([masked.labels for masked in results], back)
    targets = _rows([masked.targets for masked in results], back)
    return Masked(
        inputs,
        _selection(tokens, parts, back),
        labels,
        targets,
        _weights(results, back),
        _layers([(masked.inputs, masked.layers) for masked in results], back),
        _layers([(masked.targets, masked.target_layers) for masked in results], back),
    )


def _joined(rows: Sequence[Ragged]) -> Ragged:
    lengths = np.concatenate([one.lengths for one in rows])
    return Ragged(np.concatenate([one.values for one in rows]), offsets_of(lengths))


def _rows(rows: Sequence[Ragged | None], back: IntArray) -> Ragged | None:
    there = [one for one in rows if one is not None]
    return _joined(there).take(back) if there else None


def _shifts(tokens: TokenBatch, rows: IntArray) -> IntArray:
    """How far each row of a part stood from its place in the batch."""
    return tokens.offsets[:-1][rows] - offsets_of(tokens.lengths[rows])[:-1]


def _inputs(tokens: TokenBatch, parts: Parts, back: IntArray) -> Ragged:
    joined = _joined([masked.inputs for _, masked in parts])
    index, offsets = gather(joined.offsets, back)
    if all(masked.inputs.sources is None for _, masked in parts):
        return Ragged(joined.values[index], offsets)
    sources = []
    for rows, masked in parts:
        own = masked.inputs.sources
        own = np.arange(len(masked.inputs.values)) if own is None else own
        shift = np.repeat(_shifts(tokens, rows), masked.inputs.lengths)
        sources.append(np.where(own < 0, -1, own + shift))
    return Ragged(joined.values[index], offsets, np.concatenate(sources)[index])


def _selection(tokens: TokenBatch, parts: Parts, back: IntArray) -> Selection:
    starts = [m.selection.starts + _shifts(tokens, rows)[m.selection.rows] for rows, m in parts]
    counts = np.concatenate([masked.selection.counts for _, masked in parts])
    lengths = np.concatenate([masked.selection.lengths for _, masked in parts])
    index, offsets = gather(offsets_of(counts), back)
    return Selection(np.concatenate(starts)[index], lengths[index], offsets, len(tokens.ids))


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


def _layers(
    given: Sequence[tuple[Ragged | None, Any]], back: IntArray
) -> dict[str, np.ndarray[Any, Any]]:
    """All layers; the value of ``ABSENT`` in the rows whose strategy has no such layer."""
    names = dict.fromkeys(name for _, layers in given for name in layers)
    made = {}
    for name in names:
        absent = ABSENT.get(name, 0)
        dtype = next(layers[name].dtype for _, layers in given if name in layers)
        rows = [
            Ragged(layers.get(name, np.full(len(ids.values), absent, dtype)), ids.offsets)
            for ids, layers in given
            if ids is not None
        ]
        made[name] = _joined(rows).take(back).values
    return made
