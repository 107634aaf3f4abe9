"""Tests of the selector ``ngrams``."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskplug
from maskplug import Rng
from maskplug.errors import OptionError
from maskplug.selectors import Ngrams
from maskplug.selectors.ngrams import Law, ngram_probs
from support import reference as ref
from support import reference_masked_lm as mlm_ref
from support.batches import VOCAB, batch, equal_rows, fits, ragged, seeds

LAWS = get_args(Law)
N = 20_000


@given(
    ragged(),
    seeds,
    st.floats(0, 1),
    st.sampled_from(LAWS),
    st.integers(1, 8),
    st.sampled_from(["token", "word"]),
)
def test_matches_reference(
    rows: list[list[int]], seed: int, rate: float, law: Any, longest: int, unit: Any
) -> None:
    tokens = batch(rows)
    selector = Ngrams(rate, longest, law, unit)
    selection = selector.select(tokens, VOCAB, Rng.at(seed, 2, tokens.keys))
    spans = zip(selection.starts, selection.lengths, strict=True)
    got = [list(range(start, start + length)) for start, length in spans]
    expected = []
    for i, row in enumerate(rows):
        groups = ref.units_of(row, VOCAB.special, unit)
        drawn = mlm_ref.ngrams(ref.Sample(seed, 2, i), rate, len(groups), law, longest)
        for span in ref.joined(drawn, groups):
            expected.append([int(tokens.offsets[i]) + position for position in span])
    assert got == expected


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


def first_lengths(law: Law) -> Counter[int]:
    """Count the multisets of lengths that make up a budget of four tokens."""
    tokens = equal_rows(N, 200)
    selection = Ngrams(0.02, 2, law, "token").select(tokens, VOCAB, Rng.at(5, 0, tokens.keys))
    rows = np.split(selection.lengths, selection.offsets[1:-1])
    return Counter(tuple(sorted(row.tolist())) for row in rows)


@pytest.mark.parametrize("law", LAWS)
def test_lengths_follow_their_distribution(law: Law) -> None:
    # Four tokens in lengths of one or two; the last one is cut.
    p = dict(enumerate(ngram_probs(law, 2), 1))
    expected: Counter[tuple[int, ...]] = Counter()
    for draws in product([1, 2], repeat=4):
        left, lengths, chance = 4, [], 1.0
        for length in draws:
            if left:
                lengths.append(min(length, left))
                left -= lengths[-1]
            chance *= p[length]
        expected[tuple(sorted(lengths))] += chance
    seen = first_lengths(law)
    assert set(seen) == set(expected)
    assert fits([seen[cell] for cell in expected], list(expected.values()))


def test_subsets_of_single_units_are_uniform() -> None:
    tokens = equal_rows(N, 6)
    selection = Ngrams(0.5, 1, unit="token").select(tokens, VOCAB, Rng.at(5, 0, tokens.keys))
    codes = selection.mask.reshape(-1, 6) @ (1 << np.arange(6))
    three = [code for code in range(64) if code.bit_count() == 3]
    counts = np.bincount(codes, minlength=64)
    assert counts[three].sum() == N
    assert fits(counts[three], np.ones(20))


def test_every_arrangement_is_equally_likely() -> None:
    # Rows with a pair and a single unit: two of five slots, in two orders.
    tokens = equal_rows(N, 6)
    selection = Ngrams(0.5, 2, unit="token").select(tokens, VOCAB, Rng.at(5, 0, tokens.keys))
    rows = np.split(np.stack([selection.starts % 6, selection.lengths], 1), selection.offsets[1:-1])
    placed = Counter(tuple(map(tuple, row.tolist())) for row in rows if len(row) == 2)
    assert len(placed) == 2 * 10
    assert fits(list(placed.values()), np.ones(20))


def test_unknown_law_raises_with_choices() -> None:
    with pytest.raises(OptionError, match=r"'zipf'; it must be one of 'inverse', 'reversed'"):
        maskplug.part("selector", "ngrams", law="zipf")
