"""Kinds and lists of blocks, compared with plain counting."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maskplug.kernels.blocks import covered, listed, strided
from maskplug.kernels.intervals import runs
from maskplug.types import readonly

shapes = st.tuples(*(st.integers(1, top) for top in (3, 9, 12, 6, 6)))


def random_mask(seed: int, masks: int, queries: int, keys: int) -> tuple[Any, Any, Any]:
    """Cells with long runs, which of the keys may be seen, and whose these are."""
    rng = np.random.default_rng(seed)
    edges = rng.random((masks, queries, keys)) < rng.choice([0.1, 0.3, 0.9])
    allowed = rng.random((2, keys)) < rng.choice([0.5, 1.0])
    return np.cumsum(edges, -1) % 2 == 1, allowed, rng.integers(0, 2, masks)


def bounds(mask: Any) -> tuple[Any, Any]:
    flat = mask.reshape(-1, mask.shape[-1])
    lo, hi, _ = runs(readonly(flat, np.bool_), mask.shape[-1])
    return readonly(lo, np.int32), readonly(hi, np.int32)


def counted(mask: Any, bq: int, bk: int) -> list[list[list[int]]]:
    """The kind of each block, cell by cell."""
    out = []
    for cells in mask:
        down, across = -(-len(cells) // bq), -(-cells.shape[1] // bk)
        blocks = [
            [cells[i * bq : i * bq + bq, j * bk : j * bk + bk].sum() for j in range(across)]
            for i in range(down)
        ]
        out.append([[int(n > 0) + int(n == bq * bk) for n in row] for row in blocks])
    return out


@given(shapes, st.integers(0, 999))
def test_covered_matches_counting(shape: tuple[int, ...], seed: int) -> None:
    masks, queries, keys, bq, bk = shape
    mask, allowed, which = random_mask(seed, masks, queries, keys)
    sums = np.concatenate([np.zeros((2, 1)), np.cumsum(allowed, 1)], 1)
    kinds = covered(
        *bounds(mask), readonly(sums, np.int64), readonly(which, np.int64), queries, bq, bk
    )
    assert kinds.tolist() == counted(mask & allowed[which][:, None], bq, bk)


@given(shapes, st.integers(0, 999), st.integers(1, 5))
def test_strided_matches_counting(shape: tuple[int, ...], seed: int, step: int) -> None:
    masks, queries, keys, bq, bk = shape
    mask, allowed, which = random_mask(seed, masks, queries, keys)
    phase = np.random.default_rng(seed).integers(-20, 20, masks * queries)
    arguments = (readonly(which, np.int64), step, readonly(phase, np.int32), queries, bq, bk)
    kinds = strided(*bounds(mask), readonly(allowed, np.bool_), *arguments)
    taken = (np.arange(keys) - phase.reshape(masks, queries, 1)) % step == 0
    assert kinds.tolist() == counted(mask & allowed[which][:, None] & taken, bq, bk)


@given(st.lists(st.lists(st.integers(0, 2), min_size=4, max_size=4), max_size=5))
def test_listed_blocks_are_in_order(rows: list[list[int]]) -> None:
    kinds = np.array(rows, np.uint8).reshape(1, len(rows), 4)
    for kind in range(3):
        numbers, indices = listed(readonly(kinds, np.uint8), kind)
        assert numbers[0].tolist() == [row.count(kind) for row in rows]
        wanted = [sorted(range(4), key=lambda at, row=row: row[at] != kind) for row in rows]
        assert indices[0].tolist() == wanted
