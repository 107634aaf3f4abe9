"""Spans, insertions and the masks in their place match the scalar reference."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maskplug import Rng
from maskplug.replacements import GapMask, OneMask
from maskplug.selectors import Insertions, PoissonSpans, Spans
from support import reference as ref
from support import reference_denoising as denoising_ref
from support.batches import VOCAB, batch, ragged, seeds
from support.cases import RICH
from support.denoising import ordinary, spans_of, units_of

every_unit = st.sampled_from(["token", "word", "sentence"])
rates = st.one_of(st.sampled_from([0.0, 1.0, 0.3]), st.floats(0, 1))


@given(
    ragged(),
    seeds,
    st.floats(0, 1),
    st.floats(0.05, 1),
    st.integers(1, 12),
    st.sampled_from(["token", "word"]),
)
def test_spans_match_reference(
    rows: list[list[int]], seed: int, rate: float, p: float, longest: int, unit: Any
) -> None:
    tokens = batch(rows)
    selection = Spans(rate, p, longest, unit).select(tokens, VOCAB, Rng.at(seed, 2, tokens.keys))
    expected = []
    for i, row in enumerate(rows):
        units = ref.units_of(row, VOCAB.special, unit)
        drawn = ref.spans(ref.Sample(seed, 2, i), rate, len(units), p, longest)
        expected.append([(span[0], len(span)) for span in ref.joined(drawn, units)])
    assert spans_of(selection, tokens) == expected


def test_fewer_free_units_than_spans() -> None:
    tokens = batch([[6, 8, 10, 12, 14, 16]] * 50)
    selection = Spans(0.9, p=1.0, max_length=1, unit="token").select(
        tokens, VOCAB, Rng.at(1, 0, tokens.keys)
    )
    assert set(selection.counts.tolist()) == {5, 6}
    assert (np.diff(selection.starts) > 0).all()


@given(ragged(), seeds, rates, st.floats(0.01, 12), every_unit)
def test_poisson_spans_match_reference(
    rows: list[list[int]], seed: int, rate: float, mean: float, unit: Any
) -> None:
    tokens = batch(rows)
    selection = PoissonSpans(rate, mean, unit).select(tokens, RICH, Rng.at(seed, 2, tokens.keys))
    assert spans_of(selection, tokens) == [
        denoising_ref.poisson_spans(ref.Sample(seed, 2, i), units_of(row, unit), rate, mean)
        for i, row in enumerate(rows)
    ]


@given(ragged(), seeds, rates, every_unit)
def test_insertions_match_reference(
    rows: list[list[int]], seed: int, rate: float, unit: Any
) -> None:
    tokens = batch(rows)
    selection = Insertions(rate, unit).select(tokens, RICH, Rng.at(seed, 2, tokens.keys))
    assert spans_of(selection, tokens) == [
        denoising_ref.insertions(ref.Sample(seed, 2, i), units_of(row, unit), rate)
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
        expected = denoising_ref.one_mask(sample, row, spans, 4, share, ordinary())
        assert masked.to_lists()[i] == expected
        assert gaps.to_lists()[i] == denoising_ref.gap_mask(sample, row, spans, 66, share)
