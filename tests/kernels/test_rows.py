"""Kernels that move rows and tokens match the definition in plain Python."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maskplug.kernels.rows import first_fit, follow, mark, put_rows, ranges, row_sums
from support.flat import flat, integers, joined

N = 12
numbers = st.integers(-1, 50)
#: Original positions of the tokens of a batch; -1 for new tokens.
moves = st.lists(st.integers(-1, N - 1), min_size=1, max_size=20)


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 6)), max_size=8))
def test_ranges(wanted: list[tuple[int, int]]) -> None:
    expected = flat([range(first, first + n) for first, n in wanted])
    places, offsets = ranges(*(integers([pair[i] for pair in wanted]) for i in (0, 1)))
    assert places.tolist() == expected[0].tolist()
    assert offsets.tolist() == expected[1].tolist()


@given(st.data(), st.lists(st.lists(numbers, max_size=5), min_size=1, max_size=6))
def test_put_rows(data: st.DataObject, batch: list[list[int]]) -> None:
    order = data.draw(st.permutations(range(len(batch))))[: data.draw(st.integers(0, len(batch)))]
    shifts = [data.draw(st.integers(0, 99)) for _ in order]
    offsets = flat(batch)[1]
    out = np.full(offsets[-1], -7)
    put_rows(out, offsets, integers(order), *flat([batch[row] for row in order]), integers(shifts))
    expected = [[-7] * len(row) for row in batch]
    for row, shift in zip(order, shifts, strict=True):
        expected[row] = [value + shift if value >= 0 else value for value in batch[row]]
    assert out.tolist() == joined(expected)


@given(st.lists(st.lists(numbers, max_size=5), max_size=6))
def test_row_sums(batch: list[list[int]]) -> None:
    assert row_sums(*flat(batch)).tolist() == [sum(row) for row in batch]


@given(st.data(), moves)
def test_follow_composes_two_moves(data: st.DataObject, first: list[int]) -> None:
    then = data.draw(st.lists(st.integers(-1, len(first) - 1), max_size=20))
    result = follow(integers(then), integers(first))
    assert result.tolist() == [first[place] if place >= 0 else -1 for place in then]


@given(st.data(), moves, st.booleans())
def test_mark_uses_original_positions(data: st.DataObject, sources: list[int], moved: bool) -> None:
    edges = sorted(data.draw(st.lists(st.integers(0, len(sources) if moved else N), max_size=6)))
    spans = list(zip(edges[::2], edges[1::2], strict=False))
    chosen = np.zeros(N, np.bool_)
    starts, lengths = [start for start, _ in spans], [end - start for start, end in spans]
    mark(chosen, integers(sources if moved else []), integers(starts), integers(lengths))
    places = [i for start, end in spans for i in range(start, end)]
    expected = {sources[i] for i in places} - {-1} if moved else set(places)
    assert set(np.flatnonzero(chosen).tolist()) == expected


def plain_first_fit(sizes: list[int], order: list[int], room: int) -> list[int]:
    """Put each item into the first bin with room, or open a new one."""
    free: list[int] = []
    bins = [0] * len(sizes)
    for item in order:
        fitting = [place for place, left in enumerate(free) if left >= sizes[item]]
        if not fitting:
            free.append(room)
        bins[item] = fitting[0] if fitting else len(free) - 1
        free[bins[item]] -= sizes[item]
    return bins


@given(st.data(), st.integers(1, 20))
def test_first_fit_matches_plain_search(data: st.DataObject, room: int) -> None:
    sizes = data.draw(st.lists(st.integers(0, room), max_size=12))
    order = data.draw(st.permutations(range(len(sizes))))
    bins = first_fit(integers(sizes), integers(order), room)
    assert bins.tolist() == plain_first_fit(sizes, list(order), room)
