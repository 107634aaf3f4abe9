"""Rows of anything as flat arrays: read at once where they are alike, one by one where not."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from enum import IntEnum
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskplug import ragged
from maskplug.errors import TokenError
from maskplug.kernels.lists import read_lists
from maskplug.ragged import flatten
from maskplug.tokens import TokenBatch


class Index:
    """No integer, but one says which it stands for."""

    def __init__(self, value: int, does: Callable[[], object] = lambda: None) -> None:
        self.value, self.does = value, does

    def __index__(self) -> int:
        self.does()
        return self.value


class Backwards(list[int]):
    """A list that is read from its end."""

    def __iter__(self) -> Any:
        return reversed(self)


class Colour(IntEnum):
    RED = 7


integers = st.integers(-(2**63), 2**63 - 1) | st.integers(-200, 2**31)
whole: st.SearchStrategy[Any] = integers | st.booleans() | st.just(Colour.RED)
whole |= integers.map(Index) | integers.map(lambda value: np.int64(value))
too_large = st.integers(2**63, 2**70) | st.integers(-(2**70), -(2**63) - 1)
odd: st.SearchStrategy[Any] = too_large | st.none() | st.floats() | st.complex_numbers()
odd |= st.text(max_size=2) | st.lists(st.integers(), max_size=1)


def row_of(items: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(items, max_size=6)


@given(st.lists(row_of(integers) | row_of(whole), max_size=5))
def test_lists_of_integer_types(rows: list[list[Any]]) -> None:
    values, offsets = flatten(rows)
    assert values.dtype == offsets.dtype == np.int64
    assert offsets.tolist() == [sum(map(len, rows[:i])) for i in range(len(rows) + 1)]
    assert values.tolist() == [int(x.__index__()) for row in rows for x in row]


@given(st.lists(row_of(integers), max_size=3), row_of(whole), odd, row_of(whole))
def test_invalid_row_is_named(
    before: list[list[int]], left: list[Any], wrong: Any, right: list[Any]
) -> None:
    rows = [*before, [*left, wrong, *right]]
    with pytest.raises(TokenError, match=f"row {len(before)} does not hold integers only"):
        flatten(rows)


@given(st.lists(row_of(whole | odd), min_size=1, max_size=4))
def test_kernel_reads_the_same_integers_as_python_or_stops(rows: list[list[Any]]) -> None:
    """The twin: every row before the first that holds more than small integers."""
    offsets = np.cumsum([0, *map(len, rows)])
    flat = np.full(offsets[-1], -7, np.int64)
    small = [all(isinstance(x, int) and abs(x) < 2**53 for x in row) for row in rows]
    read = small.index(False) if False in small else len(rows)
    assert read_lists(id(rows), flat, offsets) == read
    done = offsets[read]
    assert flat[:done].tolist() == [int(x) for row in rows[:read] for x in row]
    assert (flat[offsets[min(read + 1, len(rows))] :] == -7).all()


@pytest.mark.parametrize("edge", [0, -1, -100, 2**31, 2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1])
def test_integers_at_the_edges_are_exact(edge: int) -> None:
    assert flatten([[edge, 5], [edge]])[0].tolist() == [edge, 5, edge]


def test_list_of_changed_length_is_not_read() -> None:
    rows = [[1, 2], [3]]
    flat = np.zeros(4, np.int64)
    assert read_lists(id(rows), flat, np.array([0, 2, 4])) == 1
    assert flat.tolist() == [1, 2, 0, 0]


def test_lists_that_change_during_reading() -> None:
    rows: list[list[Any]] = [[], [5, 6]]
    for change in (rows[1].clear, lambda: rows[1].extend(range(1000))):
        rows[0] = [Index(3, change), 4]
        with pytest.raises(TokenError, match="row 1 does not hold integers only: pack_into exp"):
            flatten(rows)
        rows[1][:] = [5, 6]
    row: list[Any] = []
    row += [Index(3, row.clear), 4]
    assert flatten([row, [5, 6]])[0].tolist() == [3, 4, 5, 6]


def test_reference_counts_are_unchanged() -> None:
    numbers = [10**9 + i for i in range(50)]
    rows: list[Any] = [numbers, numbers[::-1]]
    broken: list[Any] = [numbers, [*numbers, None]]

    def counts() -> list[int]:
        return [sys.getrefcount(x) for x in (*numbers, numbers, rows, None)]

    flatten(rows)
    gc.collect()
    before = counts()
    for _ in range(100):
        flatten(rows)
        with pytest.raises(TokenError):
            flatten(broken)
    gc.collect()
    after = counts()
    assert after[:-1] == before[:-1]
    assert abs(after[-1] - before[-1]) < 50  # others hold None as well


def test_list_subclasses_use_their_iterator() -> None:
    assert flatten([Backwards([1, 2]), [3]])[0].tolist() == [2, 1, 3]


def test_free_threaded_python_reads_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)
    monkeypatch.setattr("maskplug.kernels.lists.read_lists", None)
    assert flatten([[1, 2], [3]])[0].tolist() == [1, 2, 3]
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: True)
    with pytest.raises(TypeError):
        flatten([[1, 2], [3]])


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint8, np.bool_])
def test_arrays_of_one_dtype(kind: Any) -> None:
    rows = [np.array([1, 0], kind), np.array([], kind), np.array([1], kind)]
    values, offsets = flatten(rows)
    assert values.dtype == np.int64
    assert values.tolist() == [1, 0, 1]
    assert offsets.tolist() == [0, 2, 2, 3]
    values[0] = 9
    assert rows[0][0] == 1


def test_rows_of_mixed_types() -> None:
    rows = [[1, 2], (3,), np.array([4]), np.array([], np.float64), range(5, 7)]
    assert flatten(rows)[0].tolist() == [1, 2, 3, 4, 5, 6]
    assert flatten(list(np.array([[1, 2], [3, 4]])))[1].tolist() == [0, 2, 4]
    assert flatten([])[1].tolist() == [0]


@pytest.mark.parametrize(
    "wrong",
    [
        np.array([0.5]),
        np.array([1], np.uint64),
        np.array(["a"]),
        np.array(3),
        np.ones((2, 2), np.int64),
        5,
        None,
    ],
)
def test_invalid_array_is_named(wrong: Any) -> None:
    with pytest.raises(TokenError, match="row 1 does not hold integers only"):
        flatten([np.array([1, 2]), wrong, np.array([3])])


def test_arrays_are_concatenated_in_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ragged, "_write_row", None)
    assert flatten([np.array([1]), np.array([2, 3])])[0].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda row: np.array([row]),
        lambda row: np.array(row, object),
        lambda row: np.array([row], object),
        pa.scalar,
        pa.array,
        lambda row: pa.array([row]),
        lambda row: list(pa.array(row)),
    ],
)
def test_wrapped_rows_are_unwrapped(wrap: Callable[[list[int]], Any]) -> None:
    rows = [[5, 6, 7], [8], [9, 10]]
    assert flatten([wrap(row) for row in rows])[0].tolist() == [5, 6, 7, 8, 9, 10]
    starts = [[1, 0, 1], [1], [1, 1]]
    plain = TokenBatch.from_lists(rows, word_starts=starts)
    tokens = TokenBatch.from_lists(
        [wrap(row) for row in rows], word_starts=[wrap(row) for row in starts]
    )
    assert tokens.keys.tolist() == plain.keys.tolist()
    assert tokens.annotations["word_starts"].tolist() == plain.annotations["word_starts"].tolist()


@pytest.mark.parametrize("row", [np.ones((2, 3), int), np.ones((3, 1), int), [[1, 2]]])
def test_two_dimensional_rows_are_refused_with_their_shape(row: Any) -> None:
    with pytest.raises(TokenError, match=r"row 1 does .* its shape is \(., .\); a row has one"):
        flatten([[1], row])
