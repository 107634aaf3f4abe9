"""Tests of the selector ``poisson_spans``."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from maskplug import Rng, Selection, TokenBatch
from maskplug.replacements import OneMask
from maskplug.schedule import Linear
from maskplug.selectors import PoissonSpans
from maskplug.selectors.poisson_spans import poisson_probs
from support.batches import EOS, MASK, SPECIAL, VOCAB, batch, equal_rows, fits, likely, ragged
from support.denoising import spans_of

N = 20_000


def select(selector: PoissonSpans, tokens: TokenBatch) -> Selection:
    return selector.select(tokens, VOCAB, Rng.at(11, 0, tokens.keys))


def multiset_probs(budget: int, probs: list[float]) -> dict[tuple[int, ...], float]:
    """Return the probability of each multiset of lengths, with at most ``budget`` zeros."""
    total: Counter[tuple[int, ...]] = Counter()

    def draw(so_far: tuple[int, ...], p: float) -> None:
        left = budget - sum(so_far)
        if not left:
            total[tuple(sorted(so_far))] += p
            return
        for length, share in enumerate(probs):
            length = 1 if length == 0 and so_far.count(0) == budget else length
            draw((*so_far, min(length, left)), p * share)

    draw((), 1.0)
    return dict(total)


@pytest.mark.parametrize("mean", [0.1, 1.0, 3.0, 3.5, 20.0, 100.0])
def test_length_probabilities_are_poisson(mean: float) -> None:
    probs = poisson_probs(mean)
    assert probs == pytest.approx(stats.poisson(mean).pmf(np.arange(len(probs))), abs=1e-9)
    assert probs @ np.arange(len(probs)) == pytest.approx(mean, abs=1e-6)


@pytest.mark.parametrize(("mean", "budget"), [(3.0, 3), (1.0, 2), (0.5, 1)])
def test_lengths_follow_their_distribution(mean: float, budget: int) -> None:
    tokens = equal_rows(N, 20)
    selection = select(PoissonSpans(budget / 20, mean, "token"), tokens)
    seen = Counter(tuple(sorted(n for _, n in row)) for row in spans_of(selection, tokens))
    probs = poisson_probs(mean)[:budget].tolist()
    expected = multiset_probs(budget, [*probs, 1 - sum(probs)])  # longer ones are cut
    assert sum(expected.values()) == pytest.approx(1)
    assert set(seen) <= set(expected)
    # Cells that are too rare for chi-square are merged.
    cells = [cell for cell in expected if expected[cell] * N > 5]
    rest = [N - sum(seen[c] for c in cells), N * (1 - sum(expected[c] for c in cells))]
    observed = [*(seen[c] for c in cells), rest[0]]
    assert fits(observed, [*(expected[c] * N for c in cells), max(rest[1], 1e-9)])


def test_many_lengths_follow_the_poisson_distribution() -> None:
    # Only one span per row of 1,000 units is cut; the others follow the distribution.
    tokens = equal_rows(60, 1_000)
    lengths = select(PoissonSpans(0.999, 3.0, "token"), tokens).lengths
    probs = poisson_probs(3.0)[:11]
    counts = np.bincount(lengths, minlength=30)
    assert len(lengths) > 15_000
    assert fits([*counts[:10], counts[10:].sum()], [*probs[:10], 1 - probs[:10].sum()])
    assert likely(counts[0], len(lengths), float(np.exp(-3.0)))


@pytest.mark.parametrize(("rate", "length"), [(0.3, 200), (0.35, 30), (0.15, 64)])
def test_share_of_masked_tokens_is_the_rate(rate: float, length: int) -> None:
    tokens = equal_rows(4_000, length)
    hidden = select(PoissonSpans(rate, 3.0, "token"), tokens).mask.reshape(-1, length).sum(axis=1)
    low = int(np.floor(rate * length + 1e-9))
    assert set(hidden.tolist()) <= {low, low + 1}
    assert likely((hidden > low).sum(), 4_000, rate * length - low)


def test_spans_are_separated() -> None:
    tokens = equal_rows(500, 60)
    for row in spans_of(select(PoissonSpans(0.4, 2.0, "token"), tokens), tokens):
        ends = [start + n for start, n in row]
        # At least one unit lies between two spans; for an empty span, the unit at its position.
        assert all(start > end for end, (start, _) in zip(ends, row[1:], strict=False))


def test_positions_of_empty_spans_are_uniform() -> None:
    # One span of one unit and one empty span: any two of the slots 0 … 9, in either order.
    tokens = equal_rows(N, 10)
    rows = spans_of(select(PoissonSpans(0.1, 0.05, "token"), tokens), tokens)
    two = [row for row in rows if sorted(n for _, n in row) == [0, 1]]
    places = Counter(tuple(row) for row in two)
    assert len(places) == 90
    assert fits(list(places.values()), np.ones(90))
    assert {start for row in two for start, n in row if n == 0} == set(range(11))


def test_number_of_empty_spans_is_at_most_the_budget() -> None:
    tokens = equal_rows(200, 20)
    for row in spans_of(select(PoissonSpans(0.1, 1e-3, "token"), tokens), tokens):
        assert sorted(n for _, n in row) == [0, 0, 1, 1]


@given(ragged(), st.floats(0, 1), st.floats(0.05, 4), st.sampled_from(["token", "word"]))
def test_spans_are_sorted_and_within_bounds(
    rows: list[list[int]], rate: float, mean: float, unit: Any
) -> None:
    tokens = batch(rows)
    selector = PoissonSpans(rate, mean, unit)
    selection = select(selector, tokens)
    assert not selection.mask[np.isin(tokens.ids, SPECIAL)].any()
    most = selector.bound(tokens.lengths)
    written = OneMask().replace(tokens, selection, VOCAB, Rng.at(11, 0, tokens.keys))
    assert (written.lengths <= OneMask().bound(tokens.lengths, most)).all()
    for i, (row, row_spans) in enumerate(zip(rows, spans_of(selection, tokens), strict=True)):
        free = [p for p, token in enumerate(row) if token not in SPECIAL]
        assert sum(n for _, n in row_spans) <= most.tokens[i]
        assert len(row_spans) <= most.spans[i]
        assert sum(n == 0 for _, n in row_spans) <= most.empty[i]
        assert all(a + n <= b for (a, n), (b, _) in pairwise(row_spans))
        assert all(free[0] <= a and a + n <= free[-1] + 1 for a, n in row_spans)


def test_rate_schedule() -> None:
    selector = PoissonSpans(Linear(0.0, 0.5), 3.0, "token")
    tokens = equal_rows(2, 40)
    selection = selector.select(tokens, VOCAB, Rng.at(1, 0, tokens.keys, np.array([0.0, 1.0])))
    assert selection.mask.reshape(2, 40).sum(axis=1).tolist() == [0, 20]
    assert selector.bound(np.array([40]))[0].tolist() == [20]


def test_edge_rows() -> None:
    rows = [[], [7], [EOS], [2, 3, 0], [MASK, MASK], [2, 7, 3], [7, MASK, 9]]
    tokens = batch(rows)
    selection = select(PoissonSpans(1.0, 3.0, "token"), tokens)
    hidden = [
        [p for a, n in row_spans for p in range(a, a + n)]
        for row_spans in spans_of(selection, tokens)
    ]
    assert hidden == [[], [0], [], [], [], [1], [0, 2]]
    assert not select(PoissonSpans(0.0), tokens).counts.any()
