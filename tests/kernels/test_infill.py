"""Poisson spans, insertions and masks match the scalar reference."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maskplug import Rng
from maskplug.kernels.arrange import shuffle
from maskplug.replacements import GapMask, OneMask
from maskplug.selectors import Insertions, PoissonSpans
from support import reference_denoising as ref
from support.batches import batch, ragged, seeds
from support.cases import RICH
from support.denoising import ordinary, spans_of, units_of

every_unit = st.sampled_from(["token", "word", "sentence"])
rates = st.one_of(st.sampled_from([0.0, 1.0, 0.3]), st.floats(0, 1))


@given(ragged(), seeds, rates, st.floats(0.01, 12), every_unit)
def test_poisson_spans_match_reference(
    rows: list[list[int]], seed: int, rate: float, mean: float, unit: Any
) -> None:
    tokens = batch(rows)
    selection = PoissonSpans(rate, mean, unit).select(tokens, RICH, Rng.at(seed, 2, tokens.keys))
    assert spans_of(selection, tokens) == [
        ref.poisson_spans(ref.Sample(seed, 2, i), units_of(row, unit), rate, mean)
        for i, row in enumerate(rows)
    ]


@given(ragged(), seeds, rates, every_unit)
def test_insertions_match_reference(
    rows: list[list[int]], seed: int, rate: float, unit: Any
) -> None:
    tokens = batch(rows)
    selection = Insertions(rate, unit).select(tokens, RICH, Rng.at(seed, 2, tokens.keys))
    assert spans_of(selection, tokens) == [
        ref.insertions(ref.Sample(seed, 2, i), units_of(row, unit), rate)
        for i, row in enumerate(rows)
    ]


@given(ragged(), seeds, rates, st.floats(0, 1))
def test_one_mask_and_gap_mask_match_reference(
    rows: list[list[int]], seed: int, rate: float, share: float
) -> None:
    tokens = batch(rows)
    rng = Rng.at(seed, 2, tokens.keys)
    selection = PoissonSpans(rate, 1.0, "token").select(tokens, RICH, rng)
    masked = OneMask(random=share).replace(tokens, selection, RICH, rng)
    gaps = GapMask(keep=share).replace(tokens, selection, RICH, rng)
    for i, (row, spans) in enumerate(zip(rows, spans_of(selection, tokens), strict=True)):
        sample = ref.Sample(seed, 2, i)
        expected = ref.one_mask(sample, row, spans, 4, share, ordinary())
        assert masked.to_lists()[i] == expected
        assert gaps.to_lists()[i] == ref.gap_mask(sample, row, spans, 66, share)


def test_shuffle_leaves_later_values() -> None:
    values = np.arange(6)
    shuffle(values, 4, np.array([0, 0, 0, 0], np.uint32))
    assert values.tolist() == [1, 2, 3, 0, 4, 5]
