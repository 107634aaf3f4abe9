"""Vocabularies of collocations: n-grams of words that occur together more than their parts explain.

What ``maskplug ngrams`` writes and the strategy ``pmi`` reads.
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

#: A word by the ids of its tokens.
Word = tuple[int, ...]
#: An n-gram by the numbers that its words have while they are counted.
Gram = tuple[int, ...]


@dataclass(frozen=True)
class Collocation:
    """One entry of a vocabulary.

    Attributes:
        words: the ids of each word.
        score: its pointwise mutual information, in nats; see :func:`pmi`.
    """

    words: tuple[Word, ...]
    score: float

    @property
    def line(self) -> str:
        """The entry as a file has it: its ids, a tab, and its score."""
        return " ".join(str(i) for word in self.words for i in word) + f"\t{self.score:.6f}"


def sentences(tokens: TokenBatch, vocab: Vocabulary) -> Iterator[list[Word]]:
    """The words of each row, cut where an n-gram must not reach over: lists of words.

    That is at special and protected tokens, and where a sentence begins, if batch or vocabulary
    know of sentences.

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
    made = [tuple(ids[a:b]) for a, b in zip(starts, stops, strict=True)]
    places = np.flatnonzero(cuts).tolist()
    for a, b in pairwise(places):
        yield made[a:b]


class Counts:
    """How often n-grams of up to ``max_n`` words occur, as far as they occur often enough.

    The corpus is read once for each n. Only n-grams whose beginning and end occur ``min_count``
    times are counted at all, so that what is held in memory is frequent n-grams and their
    extensions, and every count is exact.

    Args:
        read: begins to read the corpus from its start, and gives lists of words.
        max_n: the longest n-grams.
        min_count: how often an n-gram must occur.
    """

    def __init__(
        self, read: Callable[[], Iterable[Sequence[Word]]], max_n: int, min_count: int
    ) -> None:
        self.numbers: dict[Word, int] = {}
        self.counts: dict[Gram, int] = {}
        #: For each n from 1, how many n-grams the corpus has in all.
        self.totals: list[int] = []
        for n in range(1, max_n + 1):
            found, total = self._count(read(), n)
            self.totals.append(total)
            often = {gram: count for gram, count in found.items() if count >= min_count}
            self.counts |= often
            if not often:
                break
        self.words = list(self.numbers)

    def _count(self, corpus: Iterable[Sequence[Word]], n: int) -> tuple[Counter[Gram], int]:
        found: Counter[Gram] = Counter()
        total = 0
        for words in corpus:
            row = [self.numbers.setdefault(word, len(self.numbers)) for word in words]
            grams = zip(*(row[i:] for i in range(n)), strict=False)
            total += max(len(row) - n + 1, 0)
            if n == 1:
                found.update(grams)
            else:
                often = self.counts
                found.update(g for g in grams if g[:-1] in often and g[1:] in often)
        return found, total

    def logs(self) -> dict[Gram, float]:
        """The logarithm of every n-gram's share of all n-grams of its length."""
        return {
            gram: log(count / self.totals[len(gram) - 1]) for gram, count in self.counts.items()
        }


def pmi(gram: Gram, logs: Mapping[Gram, float]) -> float:
    """The pointwise mutual information of an n-gram: how much its parts do not explain.

    The least value, over all ways to cut the n-gram w into two or more parts s, of
    ``log p(w) − Σ log p(s)``. A long n-gram scores high only if none of its parts explains it: "in
    New York" does not. The lists that the authors released are ranked with p(w) squared.

    Args:
        gram: two or more words.
        logs: the logarithm of the probability of the n-gram and of all its parts.

    Source: Levine et al., "PMI-Masking", 2021, equation 3.

    Example:
        >>> logs = {(0,): log(0.1), (1,): log(0.2), (0, 1): log(0.1)}
        >>> round(pmi((0, 1), logs), 3) == round(log(5), 3)
        True
    """
    best = [0.0]  # of the first j words, the greatest sum over their parts
    for j in range(1, len(gram) + 1):
        whole = j == len(gram)
        best.append(max(best[i] + logs[gram[i:j]] for i in range(whole, j)))
    return logs[gram] - best[-1]


def shares(size: int, max_n: int) -> list[int]:
    """How many n-grams a vocabulary has of each n from 2: half of what is left, and all at the end.

    Example:
        >>> shares(800, 5)
        [400, 200, 100, 100]
    """
    out: list[int] = []
    for n in range(2, max_n + 1):
        left = size - sum(out)
        out.append(left if n == max_n else left // 2)
    return out


def collocations(
    read: Callable[[], Iterable[Sequence[Word]]],
    size: int = 800_000,
    max_n: int = 5,
    min_count: int = 11,
) -> list[Collocation]:
    """The n-grams of a corpus with the highest :func:`pmi`, for each n from the highest down.

    Args:
        read: begins to read the corpus from its start, and gives lists of words, as
            :func:`sentences` makes them. It is called up to ``max_n`` times.
        size: the most n-grams: 50 % of them pairs, 25 % of three words, 12.5 % of four and of five
            each. There are fewer where the corpus has no more.
        max_n: the most words, at least 2.
        min_count: how often an n-gram must occur; the paper has more than ten times.

    Raises:
        OptionError: when an option is out of range.

    Source: Levine et al., "PMI-Masking: principled masking of correlated spans", 2021.
    """
    for name, value, least in (("size", size, 1), ("max_n", max_n, 2), ("min_count", min_count, 1)):
        if value < least:
            raise OptionError(f"option {name!r} is {value!r}; it must be at least {least}")
    counts = Counts(read, max_n, min_count)
    logs = counts.logs()
    found = []
    for n, share in enumerate(shares(size, max_n), 2):
        scored = [
            Collocation(tuple(counts.words[number] for number in gram), pmi(gram, logs))
            for gram in counts.counts
            if len(gram) == n
        ]
        scored.sort(key=lambda entry: (-entry.score, entry.words))
        found += scored[:share]
    return found


def write(path: str | Path, entries: Iterable[Collocation]) -> None:
    """Write a vocabulary as the strategy ``pmi`` reads it: one entry a line."""
    with Path(path).open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{entry.line}\n" for entry in entries)
