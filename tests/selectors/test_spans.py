"""Tests of the selector ``spans``."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from maskplug.selectors import Spans
from maskplug.selectors.spans import geometric_probs
from support.batches import equal_rows, fits, length_set_probs, length_sets, likely, masks, select

SPANBERT = [0.2241, 0.1792, 0.1434, 0.1147, 0.0918, 0.0734, 0.0587, 0.0470, 0.0376, 0.0301]
N = 20_000


def test_length_probabilities_match_spanbert() -> None:
    probs = geometric_probs(0.2, 10)
    assert probs.round(4).tolist() == SPANBERT
    assert probs @ np.arange(1, 11) == pytest.approx(3.797, abs=5e-4)


@pytest.mark.parametrize(("p", "longest"), [(0.2, 10), (0.5, 3), (0.05, 4)])
def test_lengths_follow_their_distribution(p: float, longest: int) -> None:
    seen = length_sets(select(Spans(0.1, p, longest, "token"), equal_rows(N, 60)))
    expected = length_set_probs(6, [0.0, *geometric_probs(p, longest)])
    assert sum(expected.values()) == pytest.approx(1)
    assert set(seen) <= set(expected)
    assert min(expected.values()) * N > 5
    assert fits([seen[cell] for cell in expected], list(expected.values()))


def test_cut_span_is_anywhere_in_the_row() -> None:
    # Budget 3 with lengths of 1 or 2: if both occur, both orders are possible.
    spans = select(Spans(3 / 30, 1e-9, 2, "token"), equal_rows(N, 30))
    orders = Counter(map(tuple, np.split(spans.lengths, spans.offsets[1:-1])))
    assert set(orders) == {(2, 1), (1, 2), (1, 1, 1)}
    assert likely(orders[1, 2], orders[1, 2] + orders[2, 1], 0.5)


def test_spans_are_separated_if_there_is_room() -> None:
    rows = masks(Spans(0.5, 1.0, 1, "token"), 2_000, 20)
    assert (rows.sum(axis=1) == 10).all()
    assert not (rows[:, 1:] & rows[:, :-1]).any()


@pytest.mark.parametrize(("rate", "arrangements"), [(2 / 6, 10), (3 / 6, 4), (5 / 6, 6)])
def test_every_arrangement_is_equally_likely(rate: float, arrangements: int) -> None:
    # Spans of one token: C(5, 2) and C(4, 3) with gaps; C(6, 5) if there is no room for gaps.
    counts = Counter(map(bytes, masks(Spans(rate, 1.0, 1, "token"), N, 6)))
    most = max(counts.values())
    regular = [n for n in counts.values() if n > most / 20]  # 5/6 * 6 may round to 6, rarely
    assert len(regular) == arrangements
    assert fits(regular, np.ones(arrangements))
