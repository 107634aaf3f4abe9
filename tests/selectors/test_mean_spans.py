"""Tests of the selector ``mean_spans``."""

from __future__ import annotations

from itertools import pairwise
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskplug.selectors import MeanSpans
from support.batches import VOCAB, batch, equal_rows, fits, ragged, seeds, select, uniform
from support.t5_rows import positions

N = 20_000
means = st.one_of(st.sampled_from([1.0, 3.0, 64.0]), st.floats(1, 20))


@given(ragged(), seeds, st.floats(0, 0.99), means)
def test_counts_are_exact_and_a_token_stays_visible(
    rows: list[list[int]], seed: int, rate: float, mean: float
) -> None:
    tokens = batch([[token for token in row if not VOCAB.special[token]] for row in rows])
    selection = select(MeanSpans(rate, mean), tokens, seed)
    for row, spans in zip(rows, positions(selection, tokens), strict=True):
        n = sum(not VOCAB.special[token] for token in row)
        hidden = sum(map(len, spans))
        assert hidden < n or n <= 1
        assert hidden in (int(rate * n), int(rate * n) + 1, n - 1) or (rate and hidden == 1)
        wanted = max(1, round(hidden / mean)) if hidden else 0
        assert len(spans) == min(wanted, n - hidden + 1)
        assert all(a[-1] + 1 < b[0] for a, b in pairwise(spans))


@pytest.mark.parametrize(("budget", "count"), [(6, 3), (5, 2), (4, 4), (7, 1)])
def test_every_composition_is_equally_likely(budget: int, count: int) -> None:
    tokens = equal_rows(N, 2 * budget)
    spans = positions(select(MeanSpans(0.5, budget / count), tokens), tokens)
    sizes = [tuple(map(len, row)) for row in spans]
    assert {(len(of_row), sum(of_row)) for of_row in sizes} == {(count, budget)}
    assert uniform(sizes, comb(budget - 1, count - 1))


def test_length_distribution_at_the_length_of_t5() -> None:
    # 85 of 568 tokens in 28 spans: P(l) = C(N-l-1, K-2) / C(N-1, K-1).
    hidden, count = 85, 28
    tokens = equal_rows(3_000, 568)
    selection = select(MeanSpans(85 / 568 - 1e-12, 3.0), tokens)
    assert (selection.counts == count).all()
    # Lengths within a row are dependent: use one span per row, another one in each row.
    each = selection.lengths.reshape(-1, count)[np.arange(3_000), np.arange(3_000) % count]
    ways = comb(hidden - 1, count - 1)
    probs = [comb(hidden - n - 1, count - 2) / ways for n in range(1, 11)]
    assert np.round(probs[:6], 3).tolist() == [0.321, 0.221, 0.151, 0.102, 0.069, 0.046]
    observed = np.bincount(np.minimum(each, 11), minlength=12)[1:]
    assert fits(observed, [*probs, 1 - sum(probs)])
    assert selection.lengths.sum() == hidden * 3_000


def test_arrangements_are_uniform_and_include_both_ends() -> None:
    # Two spans of one token among six: C(5, 2) arrangements with a gap.
    tokens = equal_rows(N, 6)
    assert uniform(map(str, positions(select(MeanSpans(2 / 6, 1.0), tokens), tokens)), 10)
