"""Tests of the selector ``ngrams``."""

from __future__ import annotations

from typing import get_args

import pytest

import maskplug
from maskplug.errors import OptionError
from maskplug.selectors import Ngrams
from maskplug.selectors.ngrams import Law, ngram_probs
from support.batches import equal_rows, fits, length_set_probs, length_sets, masks, select, uniform
from support.denoising import spans_of

LAWS = get_args(Law)
N = 20_000


@pytest.mark.parametrize(
    ("law", "expected"),
    [
        ("inverse", [6 / 11, 3 / 11, 2 / 11]),
        ("reversed", [2 / 11, 3 / 11, 6 / 11]),
        ("uniform", [1 / 3, 1 / 3, 1 / 3]),
        ("geometric", [0.2, 0.16, 0.64]),
    ],
)
def test_length_probabilities(law: Law, expected: list[float]) -> None:
    assert ngram_probs(law, 3) == pytest.approx(expected)
    assert ngram_probs(law, 1) == [1.0]


@pytest.mark.parametrize("law", LAWS)
def test_lengths_follow_their_distribution(law: Law) -> None:
    # Four tokens in lengths of one or two; the last one is cut.
    seen = length_sets(select(Ngrams(0.02, 2, law, "token"), equal_rows(N, 200)))
    expected = length_set_probs(4, [0.0, *ngram_probs(law, 2)])
    assert set(seen) == set(expected)
    assert fits([seen[cell] for cell in expected], list(expected.values()))


def test_subsets_of_single_units_are_uniform() -> None:
    assert uniform(masks(Ngrams(0.5, 1, unit="token"), N, 6), 20)


def test_every_arrangement_is_equally_likely() -> None:
    # Rows with a pair and a single unit: two of five slots, in two orders.
    tokens = equal_rows(N, 6)
    rows = spans_of(select(Ngrams(0.5, 2, unit="token"), tokens), tokens)
    assert uniform((tuple(row) for row in rows if len(row) == 2), 2 * 10)


def test_unknown_law_raises_with_choices() -> None:
    with pytest.raises(OptionError, match=r"'zipf'; it must be one of 'inverse', 'reversed'"):
        maskplug.part("selector", "ngrams", law="zipf")
