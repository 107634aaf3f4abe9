"""Tests of the selector ``poisson_spans``."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from maskplug import Rng
from maskplug.replacements import OneMask
from maskplug.selectors import PoissonSpans
from maskplug.selectors.poisson_spans import poisson_probs
from support.batches import (
    SPECIAL,
    VOCAB,
    batch,
    equal_rows,
    fits,
    length_set_probs,
    length_sets,
    ragged,
    select,
    uniform,
)
from support.denoising import spans_of

N = 20_000


@pytest.mark.parametrize("mean", [0.1, 1.0, 3.0, 3.5, 20.0, 100.0])
def test_length_probabilities_are_poisson(mean: float) -> None:
    probs = poisson_probs(mean)
    assert probs == pytest.approx(stats.poisson(mean).pmf(np.arange(len(probs))), abs=1e-9)
    assert probs @ np.arange(len(probs)) == pytest.approx(mean, abs=1e-6)


@pytest.mark.parametrize(("mean", "budget"), [(3.0, 3), (1.0, 2), (0.5, 1)])
def test_lengths_follow_their_distribution(mean: float, budget: int) -> None:
    tokens = equal_rows(N, 20)
    selection = select(PoissonSpans(budget / 20, mean, "token"), tokens)
    seen = length_sets(selection)
    probs = poisson_probs(mean)[:budget].tolist()
    expected = length_set_probs(budget, [*probs, 1 - sum(probs)])  # longer ones are cut
    assert sum(expected.values()) == pytest.approx(1)
    assert set(seen) <= set(expected)
    # Cells that are too rare for chi-square are merged.
    cells = [cell for cell in expected if expected[cell] * N > 5]
    rest = [N - sum(seen[c] for c in cells), N * (1 - sum(expected[c] for c in cells))]
    observed = [*(seen[c] for c in cells), rest[0]]
    assert fits(observed, [*(expected[c] * N for c in cells), max(rest[1], 1e-9)])


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
    assert uniform(map(tuple, two), 90)
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
