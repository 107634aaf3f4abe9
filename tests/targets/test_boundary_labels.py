"""Tests of the target ``boundary_labels``."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import maskplug
from support.batches import PAD, VOCAB, batch, ragged, seeds


def looked_up(row: list[int], mask: list[bool], i: int, step: int) -> int:
    """Return the distance to the nearest unselected token; 0 if there is none."""
    if not mask[i]:
        return 0
    at = i
    while 0 <= at < len(row) and row[at] != PAD:
        if not mask[at]:
            return abs(at - i)
        at += step
    return 0


@given(ragged(), seeds, st.sampled_from([0.2, 0.6, 1.0]))
def test_distances(rows: list[list[int]], seed: int, rate: float) -> None:
    tokens = batch(rows)
    masked = maskplug.strategy("span", rate=rate, boundaries=True)(tokens, VOCAB, seed=seed)
    mask = masked.selection.mask
    expected: dict[str, list[int]] = {"left_distance": [], "right_distance": []}
    for row, a, b in zip(rows, tokens.offsets, tokens.offsets[1:], strict=False):
        row_mask = mask[a:b].tolist()
        for name, step in (("left_distance", -1), ("right_distance", 1)):
            expected[name] += [looked_up(row, row_mask, i, step) for i in range(len(row))]
    assert {name: values.tolist() for name, values in masked.annotations.items()} == expected
    assert {values.dtype for values in masked.annotations.values()} == {np.dtype(np.int64)}


@given(ragged(), seeds)
def test_boundaries_do_not_change_the_masks(rows: list[list[int]], seed: int) -> None:
    tokens = batch(rows)
    plain = maskplug.strategy("span", rate=0.4)(tokens, VOCAB, seed=seed)
    masked = maskplug.strategy("span", rate=0.4, boundaries=True)(tokens, VOCAB, seed=seed)
    assert not plain.annotations
    assert masked.inputs.to_lists() == plain.inputs.to_lists()
    assert masked.labels.to_lists() == plain.labels.to_lists()


def test_padding_is_not_a_boundary() -> None:
    tokens = batch([[5, 7, 9], [5, 7, 9, PAD, PAD], [PAD, 5, 7, 9]])
    masked = maskplug.strategy("span", rate=1.0, boundaries=True)(tokens, VOCAB)
    assert not masked.annotations["left_distance"].any()
    assert not masked.annotations["right_distance"].any()
