"""Tests of the selector ``spans``."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug.selectors import Spans
from maskplug.selectors.spans import geometric_probs
from support.batches import VOCAB, equal_rows, fits, likely

SPANBERT = [0.2241, 0.1792, 0.1434, 0.1147, 0.0918, 0.0734, 0.0587, 0.0470, 0.0376, 0.0301]
N = 20_000


def runs(row: Any) -> list[int]:
    """Return the lengths of the runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(int), [0]])))
    return (edges[1::2] - edges[::2]).tolist()


def masks(selector: Spans, samples: int, length: int) -> Any:
    tokens = equal_rows(samples, length)
    selection = selector.select(tokens, VOCAB, maskplug.Rng.at(11, 0, tokens.keys))
    return selection.mask.reshape(samples, length)


def multiset_probs(budget: int, probs: list[float]) -> dict[tuple[int, ...], float]:
    """Return the probability of each multiset of lengths; the last length is cut."""
    total: Counter[tuple[int, ...]] = Counter()

    def draw(left: int, so_far: tuple[int, ...], p: float) -> None:
        if not left:
            total[tuple(sorted(so_far))] += p
            return
        for length, share in enumerate(probs, 1):
            draw(left - min(length, left), (*so_far, min(length, left)), p * share)

    draw(budget, (), 1.0)
    return dict(total)


def test_length_probabilities_match_spanbert() -> None:
    probs = geometric_probs(0.2, 10)
    assert probs.round(4).tolist() == SPANBERT
    assert probs @ np.arange(1, 11) == pytest.approx(3.797, abs=5e-4)


@pytest.mark.parametrize(("p", "longest"), [(0.2, 10), (0.5, 3), (0.05, 4)])
def test_lengths_follow_their_distribution(p: float, longest: int) -> None:
    budget, length = 6, 60
    seen = Counter(
        tuple(sorted(runs(row))) for row in masks(Spans(0.1, p, longest, "token"), N, length)
    )
    expected = multiset_probs(budget, geometric_probs(p, longest).tolist())
    assert sum(expected.values()) == pytest.approx(1)
    assert set(seen) <= set(expected)
    cells = list(expected)
    assert min(expected.values()) * N > 5
    assert fits([seen[cell] for cell in cells], [expected[cell] for cell in cells])


def test_cut_span_is_anywhere_in_the_row() -> None:
    # Budget 3 with lengths of 1 or 2: if both occur, both orders are possible.
    rows = masks(Spans(3 / 30, 1e-9, 2, "token"), N, 30)
    orders = Counter(tuple(runs(row)) for row in rows)
    assert set(orders) == {(2, 1), (1, 2), (1, 1, 1)}
    assert likely(orders[1, 2], orders[1, 2] + orders[2, 1], 0.5)


def test_spans_are_separated_if_there_is_room() -> None:
    rows = masks(Spans(0.5, 1.0, 1, "token"), 2_000, 20)
    assert {tuple(runs(row)) for row in rows} == {(1,) * 10}


@pytest.mark.parametrize(("rate", "arrangements"), [(2 / 6, 10), (3 / 6, 4), (5 / 6, 6)])
def test_every_arrangement_is_equally_likely(rate: float, arrangements: int) -> None:
    # Spans of one token: C(5, 2) and C(4, 3) with gaps; C(6, 5) if there is no room for gaps.
    rows = masks(Spans(rate, 1.0, 1, "token"), N, 6)
    counts = Counter(map(bytes, rows))
    most = max(counts.values())
    regular = [n for n in counts.values() if n > most / 20]  # 5/6 * 6 may round to 6, rarely
    assert len(regular) == arrangements
    assert fits(regular, np.ones(arrangements))


def test_positions_are_symmetric() -> None:
    rows = masks(Spans(0.2, 0.2, 10, "token"), N, 30)
    hits = rows.sum(axis=0)
    for left, right in zip(hits[:15], hits[:14:-1], strict=True):
        assert likely(left, left + right, 0.5)
