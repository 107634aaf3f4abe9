"""Vocabularies, batches and figures that many tests share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from scipy import stats

import maskplug
from maskplug.preprocessing.resource import Resource

SIZE = 60
SPECIAL = [0, 1, 2, 3, 4, 59]
PAD, BOS, EOS, MASK = 0, 2, 3, 4
ORDINARY = [i for i in range(SIZE) if i not in SPECIAL]
#: Even ids begin a word, odd ones go on with it.
VOCAB = maskplug.Vocabulary(
    size=SIZE,
    mask_id=MASK,
    pad_id=PAD,
    bos_id=BOS,
    eos_id=EOS,
    special_ids=[1, 59],
    word_start=np.arange(SIZE) % 2 == 0,
)

STRATEGIES: dict[str, dict[str, Any]] = {
    "none": {},
    "static": {"rate": 0.3},
    "bert": {"rate": 0.3, "max_predictions": 100},
    "bert-words": {"rate": 0.3, "max_predictions": 100, "unit": "word"},
    "dynamic": {"rate": 0.3},
    "dynamic-words": {"rate": 0.3, "unit": "word"},
    "roberta": {"rate": 0.3},
    "whole_word": {"rate": 0.3},
    "span": {"rate": 0.3},
    "span-tokens": {"rate": 0.3, "unit": "token"},
    "ngram": {"rate": 0.3},
    "word_dropout": {"rate": 0.3},
}


def strategy_of(case: str, **options: Any) -> maskplug.Strategy:
    """The strategy of one of the ``STRATEGIES``."""
    return maskplug.strategy(case.split("-")[0], **{**STRATEGIES[case], **options})


ids = st.sampled_from([*SPECIAL, *ORDINARY, *ORDINARY])
rows = st.one_of(
    st.lists(ids, max_size=40),
    st.lists(st.sampled_from(ORDINARY), min_size=1, max_size=40),
    st.lists(st.sampled_from(SPECIAL), max_size=6),
    st.lists(ids, min_size=1, max_size=1),
    st.lists(st.sampled_from([MASK, 5, 6, 7]), max_size=12),
)
seeds = st.integers(0, 2**64 - 1)


@st.composite
def ragged(draw: st.DrawFn, most: int = 6) -> list[list[int]]:
    """Rows of ids: empty, all special, one token, already masked, and ordinary ones."""
    return draw(st.lists(rows, max_size=most))


def batch(rows: Sequence[Any], **kwargs: Any) -> maskplug.TokenBatch:
    """Rows with the keys 0, 1, 2, …"""
    kwargs.setdefault("keys", range(len(rows)))
    return maskplug.TokenBatch.from_lists(rows, **kwargs)


def equal_rows(samples: int, length: int, first_key: int = 0) -> maskplug.TokenBatch:
    """Many rows of the same ordinary ids under different keys."""
    row = np.resize(ORDINARY, length)
    offsets = np.arange(samples + 1) * length
    keys = np.arange(first_key, first_key + samples, dtype=np.uint64)
    return maskplug.TokenBatch.from_flat(np.tile(row, samples), offsets, keys)


def likely(successes: int, trials: int, p: float) -> bool:
    """Whether a count fits a binomial law, by the exact two-sided test at 1 in 10,000."""
    return bool(stats.binomtest(int(successes), int(trials), p).pvalue > 1e-4)


def fits(observed: Any, expected: Any) -> bool:
    """Whether counts fit their expectation, by chi-square at 1 in 10,000."""
    observed, expected = np.asarray(observed, float), np.asarray(expected, float)
    expected = expected * observed.sum() / expected.sum()
    return bool(stats.chisquare(observed, expected).pvalue > 1e-4)


def select(
    selector: maskplug.Selector,
    tokens: maskplug.TokenBatch,
    seed: int = 1,
    t: int = 0,
    vocab: maskplug.Vocabulary = VOCAB,
) -> maskplug.Selection:
    """The selection of a batch."""
    return selector.select(tokens, vocab, maskplug.Rng.at(seed, t, tokens.keys))


def masks(selector: maskplug.Selector, samples: int, length: int) -> Any:
    """The selected tokens of ``equal_rows``: bool of shape (samples, length)."""
    return select(selector, equal_rows(samples, length)).mask.reshape(samples, length)


def uniform(values: Any, kinds: int) -> bool:
    """Whether hashable values, or rows of an array, are of ``kinds`` kinds, all equally likely."""
    rows = map(bytes, values) if isinstance(values, np.ndarray) else values
    counts = Counter(rows)
    return len(counts) == kinds and (kinds == 1 or fits(list(counts.values()), np.ones(kinds)))


def length_sets(selection: maskplug.Selection) -> Counter[tuple[int, ...]]:
    """Count the sorted lengths of the spans of a row."""
    rows = np.split(selection.lengths, selection.offsets[1:-1])
    return Counter(tuple(sorted(row.tolist())) for row in rows)


def length_set_probs(budget: int, probs: Any) -> dict[tuple[int, ...], float]:
    """The probability of each set of lengths 0, 1, … that are drawn until a budget is spent.

    The last length is cut to fit; there are at most as many lengths of 0 as units in the budget.
    """
    total: Counter[Any] = Counter()

    def draw(so_far: tuple[int, ...], p: float) -> None:
        left = budget - sum(so_far)
        if not left:
            total[tuple(sorted(so_far))] += p
            return
        for length, share in enumerate(probs):
            length = 1 if length == 0 and so_far.count(0) == budget else length
            if share:
                draw((*so_far, min(length, left)), p * share)

    draw((), 1.0)
    return dict(total)


def ngram_file(folder: Path, ngrams: Iterable[Iterable[int]]) -> Resource:
    """Write a new file of n-grams in a folder."""
    path = folder / f"{len(list(folder.iterdir()))}.txt"
    path.write_text("".join(" ".join(map(str, ngram)) + "\n" for ngram in ngrams))
    return Resource.of(path)
