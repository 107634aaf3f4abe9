"""Random orders match the scalar reference and are uniform."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maskplug.kernels.arrange import ranks
from maskplug.types import offsets_of, readonly
from support import reference as ref
from support import reference_diffusion as diffusion_ref
from support.batches import fits


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 30)), max_size=6))
def test_ranks_match_reference(rows: list[tuple[int, int]]) -> None:
    offsets = readonly(offsets_of([count for _, count in rows]), np.int64)
    got = ranks(np.array([key for key, _ in rows], np.uint64), offsets)
    assert got.tolist() == [r for key, n in rows for r in diffusion_ref.ranks(ref.words(key, n))]


def test_every_order_is_equally_likely() -> None:
    samples = 24_000
    keys = np.random.default_rng(1).integers(0, 2**64, samples, np.uint64)
    orders = ranks(keys, readonly(np.arange(samples + 1) * 4, np.int64)).reshape(samples, 4)
    counts = Counter(map(tuple, orders.tolist()))
    assert len(counts) == 24
    assert fits(list(counts.values()), np.ones(24))
