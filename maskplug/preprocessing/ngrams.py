"""Vocabularies of collocations: n-grams of words that occur together more often than their parts.

``maskplug ngrams`` writes them and the strategy ``pmi`` reads them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log
from pathlib import Path

import numpy as np

from maskplug.errors import OptionError
from maskplug.tokens import TokenBatch
from maskplug.units import units
from maskplug.vocabulary import Vocabulary

#: A word as the ids of its tokens.
Word = tuple[int, ...]
#: An n-gram as indices of its words.
Gram = tuple[int, ...]


@dataclass(frozen=True)
class Collocation:
    """One entry of a vocabulary.

    Attributes:
        words: ids of each word.
        score: pointwise mutual information in nats; see :func:`pmi`.
    """

    words: tuple[Word, ...]
    score: float

    @property
    def line(self) -> str:
        """The entry as a line of a file: ids, a tab, and the score."""
        return " ".join(str(i) for word in self.words for i in word) + f"\t{self.score:.6f}"


def sentences(tokens: TokenBatch, vocab: Vocabulary) -> Iterator[list[Word]]:
    """Yield the words of each row as lists, split where n-grams must not extend.

    Rows are split at special and protected tokens and, if batch or vocabulary define sentences,
    where a sentence starts.

    Example:
        >>> vocab = Vocabulary.from_pieces(["</s>", "▁new", "er", "."], special_ids=[0])
        >>> list(sentences(TokenBatch.from_lists([[1, 2, 3, 1, 0, 1]]), vocab))
        [[(1, 2, 3)], [(1,)], [(1,)]]
    """
    words = units(tokens, vocab, "word")
    cuts = np.ones(len(words.starts) + 1, np.bool_)
    ends = words.starts + words.lengths
    cuts[1:-1] = words.starts[1:] != ends[:-1]
    cuts[words.offsets] = True
    if "sentence_starts" in tokens.annotations or np.any(vocab.sentence_end):
        cuts[:-1] |= vocab.sentence_starts(tokens)[words.starts]
    ids, starts, stops = tokens.ids.tolist(), words.starts.tolist(), ends.tolist()
    word_ids = [tuple(ids[a:b]) for a, b in zip(starts, stops, strict=True)]
    for a, b in pairwise(np.flatnonzero(cuts).tolist()):
        yield word_ids[a:b]


def count_frequent(
    read: Callable[[], Iterable[Sequence[Word]]], max_n: int, min_count: int
) -> tuple[list[Word], dict[Gram, int], list[int]]:
    """Count the frequent n-grams of up to ``max_n`` words exactly.

    The corpus is read once for each n. An n-gram is counted only if its first and last n - 1 words
    occur at least ``min_count`` times, so that memory holds only frequent n-grams and their
    extensions.

    Args:
        read: starts reading the corpus from its beginning, and returns lists of words.
        max_n: maximum length of the n-grams.
        min_count: minimum number of occurrences.

    Returns:
        All words; the number of occurrences of each frequent n-gram; and the total number of
        n-grams in the corpus, for each n from 1.
    """
    numbers: dict[Word, int] = {}
    frequent: dict[Gram, int] = {}
    totals: list[int] = []
    for n in range(1, max_n + 1):
        counts: Counter[Gram] = Counter()
        totals.append(0)
        for words in read():
            row = [numbers.setdefault(word, len(numbers)) for word in words]
            grams: Iterable[Gram] = zip(*(row[i:] for i in range(n)), strict=False)
            if n > 1:
                grams = (g for g in grams if g[:-1] in frequent and g[1:] in frequent)
            counts.update(grams)
            totals[-1] += max(len(row) - n + 1, 0)
        added = {gram: count for gram, count in counts.items() if count >= min_count}
        if not added:
            break
        frequent |= added
    return list(numbers), frequent, totals


def pmi(gram: Gram, logs: Mapping[Gram, float]) -> float:
    """Return the pointwise mutual information of an n-gram.

    It is the minimum of ``log p(w) − Σ log p(s)`` over all divisions of the n-gram w into two or
    more parts s. A long n-gram thus scores high only if none of its parts explains it, unlike "in
    New York". The lists that the authors released are ranked with p(w) squared.

    Args:
        gram: two or more words.
        logs: logarithm of the probability of the n-gram and of all its parts.

    Source: Levine et al., "PMI-Masking", 2021, equation 3.

    Example:
        >>> logs = {(0,): log(0.1), (1,): log(0.2), (0, 1): log(0.1)}
        >>> round(pmi((0, 1), logs), 3) == round(log(5), 3)
        True
    """
    best = [0.0]  # best[j]: the maximum sum over the parts of the first j words
    for j in range(1, len(gram) + 1):
        whole = j == len(gram)
        best.append(max(best[i] + logs[gram[i:j]] for i in range(whole, j)))
    return logs[gram] - best[-1]


def shares(size: int, max_n: int) -> list[int]:
    """Return the number of n-grams for each n from 2: half of the remaining ones, finally all.

    Example:
        >>> shares(800, 5)
        [400, 200, 100, 100]
    """
    counts: list[int] = []
    for n in range(2, max_n + 1):
        remaining = size - sum(counts)
        counts.append(remaining if n == max_n else remaining // 2)
    return counts


def collocations(
    read: Callable[[], Iterable[Sequence[Word]]],
    size: int = 800_000,
    max_n: int = 5,
    min_count: int = 11,
) -> list[Collocation]:
    """Return the n-grams of a corpus with the highest :func:`pmi`, sorted by n and then by score.

    Args:
        read: starts reading the corpus from its beginning, and returns lists of words as
            :func:`sentences` does. It is called up to ``max_n`` times.
        size: maximum number of n-grams: 50 % bigrams, 25 % trigrams, 12.5 % of four and of five
            words each by default.
        max_n: maximum number of words, at least 2.
        min_count: minimum number of occurrences; more than ten in the paper.

    Raises:
        OptionError: if an option is out of range.

    Source: Levine et al., "PMI-Masking: principled masking of correlated spans", 2021.
    """
    for name, value, least in (("size", size, 1), ("max_n", max_n, 2), ("min_count", min_count, 1)):
        if value < least:
            raise OptionError(f"option {name!r} is {value!r}; it must be at least {least}")
    words, counts, totals = count_frequent(read, max_n, min_count)
    logs = {gram: log(count / totals[len(gram) - 1]) for gram, count in counts.items()}
    entries = []
    for n, share in enumerate(shares(size, max_n), 2):
        scored = [
            Collocation(tuple(words[number] for number in gram), pmi(gram, logs))
            for gram in counts
            if len(gram) == n
        ]
        scored.sort(key=lambda entry: (-entry.score, entry.words))
        entries += scored[:share]
    return entries


def write(path: str | Path, entries: Iterable[Collocation]) -> None:
    """Write a vocabulary in the format of the strategy ``pmi``: one entry per line."""
    with Path(path).open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{entry.line}\n" for entry in entries)
