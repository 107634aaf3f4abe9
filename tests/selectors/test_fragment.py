"""Tests of the selector ``fragment``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskplug import Rng
from maskplug.selectors import Fragment
from support import reference as ref
from support import reference_t5 as t5_ref
from support.batches import VOCAB, batch, equal_rows, fits, ragged, seeds
from support.t5_rows import positions

N = 20_000


def select(selector: Fragment, tokens: Any, seed: int = 11) -> Any:
    return selector.select(tokens, VOCAB, Rng.at(seed, 2, tokens.keys))


@given(ragged(), seeds, st.floats(0, 1), st.floats(0, 0.5))
def test_matches_reference_and_bounds(
    rows: list[list[int]], seed: int, rate: float, edges: float
) -> None:
    tokens = batch(rows)
    selector = Fragment(rate, edges)
    chosen, most, _ = selector.bound(tokens.lengths)
    got = positions(select(selector, tokens, seed), tokens)
    for key, (row, spans) in enumerate(zip(rows, got, strict=True)):
        groups = ref.units_of(row, VOCAB.special, "token")
        assert spans == t5_ref.fragment(ref.Sample(seed, 2, key), rate, edges, groups)
        assert sum(map(len, spans)) <= chosen[key]
        assert len(spans) <= most[key]


@pytest.mark.parametrize("edges", [0.0, 0.2, 0.5])
def test_positions_follow_their_distribution(edges: float) -> None:
    selection = select(Fragment(0.5, edges), equal_rows(N, 12))
    assert selection.lengths.tolist() == [6] * N
    counts = np.bincount(selection.starts % 12, minlength=7)
    inner = (1 - 2 * edges) / 7
    probs = np.full(7, inner) + np.eye(7)[0] * edges + np.eye(7)[6] * edges
    seen = probs > 0
    assert counts[~seen].sum() == 0
    assert fits(counts[seen], probs[seen])


def test_rates_of_zero_and_one() -> None:
    tokens = batch([[6] * n for n in range(10)])
    assert not select(Fragment(0.0), tokens).mask.any()
    assert select(Fragment(1.0), tokens).mask.all()
    counts = [sum(map(len, row)) for row in positions(select(Fragment(0.1), tokens), tokens)]
    assert counts == [0] + [1] * 9
