"""XLNet's masks match the pairwise definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskplug.errors import TokenError
from maskplug.objectives.xlnet import perm_mask, target_labels, target_mapping


@st.composite
def orders(draw: st.DrawFn) -> np.ndarray:
    """Draw rows in which some tokens have ranks from 0 in any order, and the others -1."""
    length = draw(st.integers(0, 8))
    rows = []
    for _ in range(draw(st.integers(0, 4))):
        predicted = draw(st.lists(st.booleans(), min_size=length, max_size=length))
        ranks = iter(draw(st.permutations(range(sum(predicted)))))
        rows.append([next(ranks) if one else -1 for one in predicted])
    return np.array(rows, np.int64).reshape(len(rows), length)


@given(orders())
def test_perm_mask_matches_definition(order: np.ndarray) -> None:
    hidden = perm_mask(order)
    assert hidden.shape == (*order.shape, order.shape[1])
    assert hidden.dtype == np.float64
    single = perm_mask(order, np.float32)
    assert single.dtype == target_mapping(order, np.float32).dtype == np.float32
    assert np.array_equal(single, hidden)
    for row, ranks in zip(hidden, order, strict=True):
        for i, query in enumerate(ranks):
            for j, key in enumerate(ranks):
                sees = key < 0 or (query >= 0 and key < query)
                assert row[i, j] == float(not sees)


@given(orders())
def test_target_mapping_and_labels(order: np.ndarray) -> None:
    labels = np.where(order >= 0, np.arange(order.size).reshape(order.shape) + 5, -100)
    mapping, wanted = target_mapping(order), target_labels(order, labels)
    most = int((order >= 0).sum(axis=1).max(initial=0))
    assert mapping.shape == (len(order), most, order.shape[1])
    assert wanted.shape == mapping.shape[:2]
    assert wanted.dtype == np.int64
    for one_hot, predicted, ranks, of_row in zip(mapping, wanted, order, labels, strict=True):
        positions = np.flatnonzero(ranks >= 0)
        slots, columns = np.nonzero(one_hot)
        assert slots.tolist() == list(range(len(positions)))
        assert columns.tolist() == positions.tolist()
        assert (one_hot[slots, columns] == 1).all()
        assert predicted[: len(positions)].tolist() == of_row[positions].tolist()
        assert (predicted[len(positions) :] == -100).all()


@pytest.mark.parametrize("function", [perm_mask, target_mapping])
@pytest.mark.parametrize("order", [np.zeros(3, np.int64), np.zeros((2, 3))])
def test_wrong_orders_raise(function, order) -> None:
    with pytest.raises(TokenError, match=r"must be integers of shape \(batch, length\)"):
        function(order)


def test_wrong_label_shape_raises() -> None:
    with pytest.raises(TokenError, match=r"labels have shape \(1, 2\), the order \(1, 3\)"):
        target_labels(np.array([[0, -1, -1]]), np.array([[1, 2]]))
