"""Ragged batches: how they are built, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskplug
from maskplug import Ragged, Selection, TokenBatch
from maskplug.errors import TokenError
from support.batches import VOCAB, batch, ragged

ROWS = [[5, 6, 7], [], [8]]


@given(ragged())
def test_lists_arrays_and_flat_ids_give_the_same_batch(rows: list[list[int]]) -> None:
    flat = np.array([token for row in rows for token in row], np.int32)
    offsets = np.cumsum([0, *map(len, rows)])
    forms = [
        TokenBatch.from_lists(rows),
        TokenBatch.from_lists([tuple(row) for row in rows]),
        TokenBatch.from_lists([np.array(row) for row in rows]),  # empty ones are float64
        TokenBatch.from_lists([np.array(row, np.uint16) for row in rows]),
        TokenBatch.from_flat(flat, offsets),
    ]
    for tokens in forms:
        assert tokens.ids.dtype == np.int64
        assert tokens.ids.tolist() == flat.tolist()
        assert tokens.offsets.tolist() == offsets.tolist()
        assert tokens.keys.tolist() == forms[0].keys.tolist()
        assert tokens.lengths.tolist() == [len(row) for row in rows]
        assert len(tokens) == len(rows)


def test_numpy_integers_in_lists_and_a_matrix_of_rows() -> None:
    rows = np.arange(6).reshape(2, 3)
    layer = rows > 2
    tokens = TokenBatch.from_lists(rows, protected=layer)
    assert tokens.ids.tolist() == TokenBatch.from_lists([list(row) for row in rows]).ids.tolist()
    assert tokens.annotations["protected"].tolist() == layer.ravel().tolist()


def test_row() -> None:
    tokens = batch(ROWS, keys=["a", "b", "c"], protected=[[True, False, True], [], [False]])
    for i, row in enumerate(ROWS):
        one = tokens.row(i)
        assert one.ids.tolist() == row
        assert one.offsets.tolist() == [0, len(row)]
        assert one.keys.tolist() == [tokens.keys[i]]
        assert len(one.annotations["protected"]) == len(row)


def test_arrays_are_read_only() -> None:
    tokens = batch(ROWS, protected=ROWS)
    masked = maskplug.strategy("dynamic")(tokens, VOCAB)
    results = masked.inputs.values, masked.labels.values, masked.selection.mask
    annotation = tokens.annotations["protected"]
    for array in (tokens.ids, tokens.offsets, tokens.keys, annotation, *results):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


@pytest.mark.parametrize(
    "offsets", [[], [0], [0, 1], [1, 3], [0, 2, 1, 3], [0, 4], [0, 2**40], [-1, 3]], ids=str
)
def test_invalid_offsets_are_refused(offsets: list[int]) -> None:
    with pytest.raises(TokenError, match="offsets must increase from 0 to 3"):
        TokenBatch.from_flat([5, 6, 7], offsets)


@pytest.mark.parametrize(
    ("ids", "offsets", "culprit"),
    [([1.0, 2.0], [0, 2], "ids are"), ([1, 2], [0.0, 2.0], "offsets"), ([[1, 2]], [0, 1], "ids")],
)
def test_invalid_arrays_are_refused(ids: Any, offsets: Any, culprit: str) -> None:
    with pytest.raises(TokenError, match=culprit):
        TokenBatch.from_flat(np.array(ids), np.array(offsets))


def test_invalid_keys_are_refused() -> None:
    with pytest.raises(TokenError, match="3 samples came with 2 keys"):
        TokenBatch.from_lists(ROWS, keys=[1, 2])


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ([[1, 1], [], [1]], "'x' has 2 values for the 3 tokens of row 0"),
        ([[1, 1, 1], []], "annotation 'x' has 2 rows for 3 samples"),
    ],
)
def test_invalid_annotations_are_refused(layer: Any, message: str) -> None:
    with pytest.raises(TokenError, match=message):
        batch(ROWS, x=layer)


def test_ragged() -> None:
    rows = Ragged(np.array([1.5, 2.0, 3.0]), np.array([0, 2, 2, 3], np.int32))
    assert rows.to_lists() == [[1.5, 2.0], [], [3.0]]
    assert [row.tolist() for row in rows] == rows.to_lists()
    assert (len(rows), rows.lengths.tolist()) == (3, [2, 0, 1])


@given(ragged(), st.randoms(use_true_random=False))
def test_selection_from_mask_and_back(rows: list[list[int]], picks: Any) -> None:
    tokens = batch(rows)
    mask = np.array([picks.random() < 0.5 for _ in tokens.ids], bool)
    selection = Selection.from_mask(mask, tokens)
    assert selection.mask.tolist() == mask.tolist()
    assert selection.counts.sum() == mask.sum()
    assert len(selection) == len(rows)
    selection.check(tokens)
    Selection(selection.starts, 0 * selection.lengths, selection.offsets, len(mask)).check(tokens)
    chosen = np.array([picks.random() < 0.5 for _ in selection.starts], bool)
    taken = selection.take(chosen)
    assert taken.starts.tolist() == selection.starts[chosen].tolist()
    assert taken.size == selection.size


def test_mask_of_spans() -> None:
    spans = Selection(np.array([0, 2, 4, 4]), np.array([1, 2, 0, 3]), np.array([0, 4]), 8)
    assert spans.mask.astype(int).tolist() == [1, 0, 1, 1, 1, 1, 1, 0]
    assert not spans.mask.flags.writeable


@pytest.mark.parametrize(
    ("starts", "lengths", "offsets", "message"),
    [
        ([0, 2], [1, 1], [0, 1, 2], "2 rows, 2 starts and 2 lengths, out of 5 tokens"),
        ([0], [1, 1], [0, 1, 1, 1], "1 starts and 2 lengths"),
        ([0, 1], [1, 1], [0, 2, 1, 2], "does not fit"),
        ([1, 0], [1, 1], [0, 2, 2, 2], "at 0 in sample 0 .* begins before the end"),
        ([0, 1], [2, 1], [0, 2, 2, 2], "at 1 in sample 0 .* begins before the end"),
        ([2], [2], [0, 1, 1, 1], r"2 tokens at 2 in sample 0 \(of 3 tokens\) is outside"),
        ([3], [1], [0, 0, 1, 1], r"at 0 in sample 1 \(of 0 tokens\) is outside"),
        ([4], [-1], [0, 0, 0, 1], "of -1 tokens at 1 in sample 2"),
        ([99], [1], [0, 0, 0, 1], "at 96 in sample 2"),
    ],
)
def test_invalid_selections_are_refused(
    starts: list[int], lengths: list[int], offsets: list[int], message: str
) -> None:
    tokens = batch([[5, 6, 7], [], [8, 9]])
    with pytest.raises(TokenError, match=message):
        Selection(*map(np.array, (starts, lengths, offsets)), 5).check(tokens)


def test_selection_of_another_batch_is_refused() -> None:
    with pytest.raises(TokenError, match="out of 4 tokens, does not fit a batch of 1 samples"):
        Selection.from_mask(np.ones(4, bool), batch([[5, 6, 7, 8]])).check(batch([[5]]))
