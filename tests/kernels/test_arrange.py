"""Permutations, rotations, shuffles and ranks match the scalar reference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maskplug import Replacement, Rng
from maskplug.kernels.arrange import ranks, shuffle
from maskplug.replacements import Permute, Rotate, Shuffle
from maskplug.selectors import Nothing
from support import reference_denoising as ref
from support.batches import batch, fits, ragged, seeds
from support.cases import RICH
from support.denoising import units_of
from support.flat import joined, row_offsets, stream_keys
from support.reference import words
from support.reference_diffusion import ranks as ref_ranks

every_unit = st.sampled_from(["token", "word", "sentence"])


def check(
    part: Replacement,
    rows: list[list[int]],
    seed: int,
    unit: str,
    order: Callable[[ref.Sample, int], list[int]],
) -> None:
    tokens = batch(rows)
    rng = Rng.at(seed, 2, tokens.keys)
    out = part.replace(tokens, Nothing().select(tokens, RICH, rng), RICH, rng)
    for i, row in enumerate(rows):
        units = units_of(row, unit)
        if isinstance(part, Rotate):
            units = [[p] for p, token in enumerate(row) if token == 4 or not RICH.special[token]]
        wanted = order(ref.Sample(seed, 2, i), len(units))
        assert out.to_lists()[i] == ref.arranged(row, units, wanted)
    assert out.sources is not None
    assert (out.values == tokens.ids[out.sources]).all()


@given(ragged(), seeds, st.floats(0, 1), every_unit)
def test_permutations_match_reference(
    rows: list[list[int]], seed: int, share: float, unit: Any
) -> None:
    check(Permute(share, unit), rows, seed, unit, lambda s, n: ref.permuted(s, n, share))


@given(ragged(), seeds, st.floats(0, 1))
def test_rotations_match_reference(rows: list[list[int]], seed: int, rate: float) -> None:
    check(Rotate(rate), rows, seed, "token", lambda s, n: ref.rotated(s, n, rate))


@given(ragged(), seeds, st.one_of(st.integers(1, 8), st.just((1 << 24) - 1)), every_unit)
def test_shuffles_match_reference(
    rows: list[list[int]], seed: int, distance: int, unit: Any
) -> None:
    part = Shuffle(distance, unit)
    check(part, rows, seed, unit, lambda s, n: ref.shuffled_near(s, n, distance))


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 30)), max_size=6))
def test_ranks_match_reference(rows: list[tuple[int, int]]) -> None:
    order = ranks(stream_keys([key for key, _ in rows]), row_offsets([count for _, count in rows]))
    assert order.tolist() == joined([ref_ranks(words(key, count)) for key, count in rows])


def test_every_order_is_equally_likely() -> None:
    samples = 24_000
    keys = stream_keys(np.random.default_rng(1).integers(0, 2**64, samples, np.uint64))
    orders = ranks(keys, row_offsets([4] * samples)).reshape(samples, 4)
    counts = Counter(map(tuple, orders.tolist()))
    assert len(counts) == 24
    assert fits(list(counts.values()), np.ones(24))


def test_shuffle_leaves_later_values() -> None:
    values = np.arange(6)
    shuffle(values, 4, np.array([0, 0, 0, 0], np.uint32))
    assert values.tolist() == [1, 2, 3, 0, 4, 5]
