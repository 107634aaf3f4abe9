"""Row kernels match the definition in plain Python."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maskplug.kernels import rows
from maskplug.types import offsets_of, readonly

numbers = st.integers(-1, 50)


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 6)), max_size=8))
def test_ranges(wanted: list[tuple[int, int]]) -> None:
    firsts, lengths = (readonly([pair[i] for pair in wanted], np.int64) for i in (0, 1))
    places, offsets = rows.ranges(firsts, lengths)
    assert places.tolist() == [i for first, n in wanted for i in range(first, first + n)]
    assert offsets.tolist() == offsets_of([n for _, n in wanted]).tolist()


@given(st.data(), st.lists(st.lists(numbers, max_size=5), min_size=1, max_size=6))
def test_put_rows(data: st.DataObject, batch: list[list[int]]) -> None:
    order = data.draw(st.permutations(range(len(batch))))[: data.draw(st.integers(0, len(batch)))]
    shifts = [data.draw(st.integers(0, 99)) for _ in order]
    offsets = offsets_of([len(row) for row in batch])
    out = np.full(offsets[-1], -7)
    ordered = [batch[row] for row in order]
    rows.put_rows(
        out,
        readonly(offsets, np.int64),
        readonly(order, np.int64),
        readonly([value for row in ordered for value in row], np.int64),
        readonly(offsets_of([len(row) for row in ordered]), np.int64),
        readonly(shifts, np.int64),
    )
    expected = [[-7] * len(row) for row in batch]
    for row, shift in zip(order, shifts, strict=True):
        expected[row] = [value + shift if value >= 0 else value for value in batch[row]]
    assert out.tolist() == [value for row in expected for value in row]


@given(st.lists(st.lists(numbers, max_size=5), max_size=6))
def test_row_sums(batch: list[list[int]]) -> None:
    flat = readonly([value for row in batch for value in row], np.int64)
    offsets = readonly(offsets_of([len(row) for row in batch]), np.int64)
    assert rows.row_sums(flat, offsets).tolist() == [sum(row) for row in batch]
