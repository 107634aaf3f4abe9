"""Tests of the selector ``mean_spans``."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from math import comb
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskplug import Rng
from maskplug.selectors import MeanSpans
from support import reference as ref
from support import reference_t5 as t5_ref
from support.batches import VOCAB, batch, equal_rows, fits, likely, ragged, seeds
from support.t5_rows import positions

N = 20_000
rates = st.floats(0, 0.99)
means = st.one_of(st.sampled_from([1.0, 3.0, 64.0]), st.floats(1, 20))


def select(selector: MeanSpans, tokens: Any, seed: int = 11) -> Any:
    return selector.select(tokens, VOCAB, Rng.at(seed, 2, tokens.keys))


@given(ragged(), seeds, rates, means, st.sampled_from(["token", "word"]))
def test_matches_reference_and_bounds(
    rows: list[list[int]], seed: int, rate: float, mean: float, unit: Any
) -> None:
    tokens = batch(rows)
    selector = MeanSpans(rate, mean, unit)
    chosen, most, _ = selector.bound(tokens.lengths)
    got = positions(select(selector, tokens, seed), tokens)
    for key, (row, spans) in enumerate(zip(rows, got, strict=True)):
        groups = ref.units_of(row, VOCAB.special, unit)
        assert spans == t5_ref.mean_spans(ref.Sample(seed, 2, key), rate, mean, groups)
        assert sum(map(len, spans)) <= chosen[key]
        assert len(spans) <= most[key]


@given(ragged(), seeds, rates, means)
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


def test_single_tokens_and_rate_zero() -> None:
    tokens = batch([[2, 9, 3], [9], [2, 3], []])
    assert select(MeanSpans(0.15), tokens).counts.tolist() == [1, 1, 0, 0]
    assert select(MeanSpans(0.0), tokens).counts.tolist() == [0] * 4


@pytest.mark.parametrize(("budget", "count"), [(6, 3), (5, 2), (4, 4), (7, 1)])
def test_every_composition_is_equally_likely(budget: int, count: int) -> None:
    tokens = equal_rows(N, 2 * budget)
    spans = positions(select(MeanSpans(0.5, budget / count), tokens), tokens)
    seen = Counter(tuple(map(len, row)) for row in spans)
    assert len(seen) == comb(budget - 1, count - 1)
    assert {(len(sizes), sum(sizes)) for sizes in seen} == {(count, budget)}
    assert len(seen) == 1 or fits(list(seen.values()), np.ones(len(seen)))


def test_length_distribution_at_the_length_of_t5() -> None:
    # 85 of 568 tokens in 28 spans: P(l) = C(N-l-1, K-2) / C(N-1, K-1).
    hidden, count = 85, 28
    tokens = equal_rows(3_000, 568)
    selection = select(MeanSpans(85 / 568 - 1e-12, 3.0), tokens)
    full = selection.counts == count
    assert full.all()
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
    seen = Counter(str(row) for row in positions(select(MeanSpans(2 / 6, 1.0), tokens), tokens))
    assert len(seen) == 10
    assert fits(list(seen.values()), np.ones(10))


def test_positions_are_symmetric() -> None:
    hits = select(MeanSpans(0.3, 3.0), equal_rows(N, 30)).mask.reshape(N, 30).sum(axis=0)
    for left, right in zip(hits[:15], hits[:14:-1], strict=True):
        assert likely(left, left + right, 0.5)


def test_high_densities() -> None:
    for rate, mean in [(0.6, 1.0), (0.9, 1.0), (0.9, 3.0), (0.99, 1.0)]:
        tokens = equal_rows(50, 40)
        selection = select(MeanSpans(rate, mean), tokens)
        hidden = selection.mask.reshape(50, 40).sum(axis=1)
        assert (hidden <= 39).all()
        assert (abs(hidden - rate * 40) <= 1).all()
        assert (selection.counts == np.minimum(np.rint(hidden / mean), 41 - hidden)).all()
