"""The span kernel matches the scalar reference."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maskplug import Rng
from maskplug.selectors import Spans
from support import reference as ref
from support.batches import VOCAB, batch, ragged, seeds


def reference_spans(
    row: list[int], sample: ref.Sample, unit: str, **options: Any
) -> list[list[int]]:
    units = ref.units_of(row, VOCAB.special, unit)
    return ref.joined(ref.spans(sample, count=len(units), **options), units)


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
    selector = Spans(rate, p, longest, unit)
    selection = selector.select(tokens, VOCAB, Rng.at(seed, 2, tokens.keys))
    spans = zip(selection.starts, selection.lengths, strict=True)
    got = [list(range(start, start + length)) for start, length in spans]
    expected = []
    for i, row in enumerate(rows):
        sample = ref.Sample(seed, 2, i)
        for span in reference_spans(row, sample, unit, rate=rate, p=p, longest=longest):
            expected.append([int(tokens.offsets[i]) + position for position in span])
    assert got == expected


def test_fewer_free_units_than_spans() -> None:
    tokens = batch([[6, 8, 10, 12, 14, 16]] * 50)
    selection = Spans(0.9, p=1.0, max_length=1, unit="token").select(
        tokens, VOCAB, Rng.at(1, 0, tokens.keys)
    )
    assert set(selection.counts.tolist()) == {5, 6}
    assert (np.diff(selection.starts) > 0).all()
