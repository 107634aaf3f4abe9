"""First-fit bin packing matches a plain search."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maskplug.kernels.bins import first_fit
from maskplug.types import readonly


def plain_first_fit(sizes: list[int], order: list[int], room: int) -> list[int]:
    """Put each item into the first bin with room, or open a new one."""
    free: list[int] = []
    placed = [0] * len(sizes)
    for item in order:
        fits = [place for place, left in enumerate(free) if left >= sizes[item]]
        if not fits:
            free.append(room)
        placed[item] = fits[0] if fits else len(free) - 1
        free[placed[item]] -= sizes[item]
    return placed


@given(st.data(), st.integers(1, 20))
def test_first_fit_matches_plain_search(data: st.DataObject, room: int) -> None:
    sizes = data.draw(st.lists(st.integers(0, room), max_size=12))
    order = data.draw(st.permutations(range(len(sizes))))
    bins = first_fit(readonly(sizes, np.int64), readonly(order, np.int64), room)
    assert bins.tolist() == plain_first_fit(sizes, list(order), room)
