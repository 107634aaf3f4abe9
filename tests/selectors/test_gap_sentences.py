"""Tests of the selector ``gap_sentences``; for the scores see kernels/test_rouge."""

from __future__ import annotations

from typing import Any

import pytest

import maskplug
from maskplug.errors import VocabularyError
from maskplug.selectors import GapSentences
from support.batches import batch, select, uniform
from support.cases import RICH
from support.denoising import spans_of


def text(sentences: int) -> list[int]:
    """Return a row of sentences of three tokens; the n-th starts at 1 + 3 n."""
    return [2, *[token for n in range(sentences) for token in (10 + n, 40, 7)], 3]


def chosen(selector: GapSentences, rows: list[list[int]], seed: int = 1, t: int = 0) -> Any:
    tokens = batch(rows)
    selection = select(selector, tokens, seed, t, RICH)
    return [tuple((start - 1) // 3 for start, _ in row) for row in spans_of(selection, tokens)]


@pytest.mark.parametrize("choose", ["lead", "random", "principal"])
@pytest.mark.parametrize(
    ("sentences", "rate", "count"),
    [(0, 0.3, 0), (1, 0.3, 1), (1, 0.99, 1), (2, 0.99, 1), (3, 0.1, 1), (10, 0.45, 4), (9, 0.99, 8),
     (10, 0.0, 0), (10, 1e-9, 1)]
)  # fmt: skip
def test_counts(choose: Any, sentences: int, rate: float, count: int) -> None:
    assert list(map(len, chosen(GapSentences(rate, choose), [text(sentences)]))) == [count]


def test_lead_selects_the_first_sentences() -> None:
    assert chosen(GapSentences(0.5, "lead"), [text(4), text(6)]) == [(0, 1), (0, 1, 2)]


def test_random_subsets_are_uniform() -> None:
    assert uniform(chosen(GapSentences(0.4, "random"), [text(5)] * 10_000), 10)


@pytest.mark.parametrize("choose", ["lead", "principal"])
def test_lead_and_principal_are_deterministic(choose: Any) -> None:
    rows = [text(9)] * 20
    selector = GapSentences(0.4, choose)
    assert len(set(chosen(selector, rows))) == 1
    assert chosen(selector, rows, seed=2, t=1) == chosen(selector, rows)


def test_each_sentence_is_one_span() -> None:
    tokens = batch([[2, 10, 12, 7, 9, 14, 16, 7, 3]])
    selection = select(GapSentences(0.5, "lead"), tokens, vocab=RICH)
    assert spans_of(selection, tokens) == [[(1, 4)]]


def test_missing_sentence_starts_raise() -> None:
    vocab = maskplug.Vocabulary(size=60, mask_id=4)
    with pytest.raises(VocabularyError, match="sentence_starts"):
        select(GapSentences(), batch([[10, 11, 12]]), vocab=vocab)
