"""The sampler of the Hugging Face side groups rows by length, differently in each epoch."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.shared.hf_rows import GroupedByLength, lengths

LENGTHS = st.lists(st.integers(1, 30), min_size=1, max_size=80)


def order(sampler: GroupedByLength, epoch: int) -> list[int]:
    sampler.set_epoch(epoch)
    return list(sampler)


@given(LENGTHS, st.integers(1, 20), st.integers(0, 5), st.integers(0, 9))
def test_each_epoch_contains_every_row_once(
    rows: list[int], batch: int, seed: int, epoch: int
) -> None:
    sampler = GroupedByLength([rows], batch, seed)
    assert sorted(order(sampler, epoch)) == list(range(len(rows)))
    assert len(sampler) == len(rows)


@given(LENGTHS, st.integers(1, 20), st.integers(0, 9))
def test_order_depends_only_on_seed_and_epoch(rows: list[int], batch: int, epoch: int) -> None:
    used = GroupedByLength([rows], batch, 3)
    for before in range(epoch):
        order(used, before)
    np.random.seed(7)  # noqa: NPY002 (whatever the global generator does)
    fresh = GroupedByLength([rows], batch, 3)
    assert order(used, epoch) == order(fresh, epoch) == list(fresh)


def test_epochs_and_seeds_have_different_orders() -> None:
    rows = [1 + i % 9 for i in range(100)]
    orders = {
        (seed, epoch): tuple(order(GroupedByLength([rows], 8, seed), epoch))
        for seed in range(3)
        for epoch in range(3)
    }
    assert len(set(orders.values())) == 9


@given(LENGTHS, st.integers(1, 20), st.integers(0, 9))
def test_batches_contain_neighbours_by_length(rows: list[int], batch: int, epoch: int) -> None:
    indices = order(GroupedByLength([rows], batch, 1), epoch)
    starts = range(0, len(rows), batch)
    batches = Counter(tuple(sorted(rows[row] for row in indices[i : i + batch])) for i in starts)
    assert batches == Counter(tuple(sorted(rows)[i : i + batch]) for i in starts)


def test_batches_differ_between_epochs_for_equal_lengths() -> None:
    sampler = GroupedByLength([[5] * 40], 4, 1)
    batches = [
        {frozenset(indices[i : i + 4]) for i in range(0, 40, 4)}
        for indices in (order(sampler, 0), order(sampler, 1))
    ]
    assert batches[0] != batches[1]


def test_target_lengths_order_rows_with_equal_source_lengths() -> None:
    sources, targets = [3, 3, 3, 3, 1, 1, 1, 1], [9, 1, 9, 1, 2, 7, 2, 7]
    indices = order(GroupedByLength([sources, targets], 2, 1), 4)
    batches = {frozenset(indices[i : i + 2]) for i in range(0, 8, 2)}
    assert batches == {frozenset({0, 2}), frozenset({1, 3}), frozenset({4, 6}), frozenset({5, 7})}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"input_ids": [[1, 2], [3]], "labels": [[1], [2, 3, 4]]}, [[2, 1], [1, 3]]),
        ({"input_ids": [[1, 2], [3]], "labels": [0, 1]}, [[2, 1]]),
        ({"input_ids": [[1, 2], [3]]}, [[2, 1]]),
    ],
)
def test_lengths_include_targets_that_are_sequences(
    columns: dict[str, list[object]], expected: list[list[int]]
) -> None:
    from datasets import Dataset

    assert lengths(Dataset.from_dict(columns)) == expected
