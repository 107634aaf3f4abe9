"""Tracing of moved tokens matches the definition in plain Python."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maskplug.kernels.rows import follow, mark
from maskplug.types import readonly

N = 12
#: Original positions of the tokens of a batch; -1 for new tokens.
moves = st.lists(st.integers(-1, N - 1), min_size=1, max_size=20)


@given(st.data(), moves)
def test_follow_composes_two_moves(data: st.DataObject, first: list[int]) -> None:
    then = data.draw(st.lists(st.integers(-1, len(first) - 1), max_size=20))
    result = follow(readonly(then, np.int64), readonly(first, np.int64))
    assert result.tolist() == [first[place] if place >= 0 else -1 for place in then]


@given(st.data(), moves, st.booleans())
def test_mark_uses_original_positions(data: st.DataObject, sources: list[int], moved: bool) -> None:
    size = len(sources) if moved else N
    edges = sorted(data.draw(st.lists(st.integers(0, size), max_size=6)))
    spans = list(zip(edges[::2], edges[1::2], strict=False))
    chosen = np.zeros(N, np.bool_)
    mark(
        chosen,
        readonly(sources if moved else [], np.int64),
        readonly([start for start, _ in spans], np.int64),
        readonly([end - start for start, end in spans], np.int64),
    )
    places = [i for start, end in spans for i in range(start, end)]
    expected = {sources[i] for i in places} - {-1} if moved else set(places)
    assert set(np.flatnonzero(chosen).tolist()) == expected
