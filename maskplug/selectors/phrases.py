"""Select phrases of a list and other words, as whole units."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from maskplug.errors import OptionError, VocabularyError, shortened
from maskplug.parts import Schedule, Selector
from maskplug.preprocessing.resource import Resource
from maskplug.ragged import Ragged
from maskplug.rng import Rng
from maskplug.schedule import check_rate
from maskplug.selectors.words import until_spent
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import IntArray, readonly
from maskplug.units import Unit, units
from maskplug.vocabulary import Vocabulary

#: The edges of a trie store ids in 32 bits.
MAX_ID = (1 << 32) - 1


def _parse_line(line: str) -> list[int]:
    entry, tab, score = line.partition("\t")
    if tab:
        float(score)
    ids = [int(word) for word in entry.split()]
    if not ids or min(ids) < 0 or max(ids) > MAX_ID:
        raise ValueError("an n-gram has one or more ids, none of them negative")
    return ids


@lru_cache(maxsize=8)
def read_ngrams(file: Resource) -> Ragged:
    """Read a file of n-grams, one per line: ids separated by spaces, optionally a tab and a score.

    Raises:
        OptionError: for an invalid line; the message names it.
    """
    rows = []
    for number, line in enumerate(file.lines(), 1):
        try:
            rows.append(_parse_line(line))
        except ValueError as error:
            raise OptionError(
                f"{file.path}, line {number}: {shortened(line)} is no n-gram ({error}); write "
                "token ids, and optionally a tab and a score: '17 5 88\\t3.2'"
            ) from None
    return Ragged.of(rows)


@lru_cache(maxsize=8)
def _trie(file: Resource) -> tuple[Any, ...]:
    from maskplug.kernels.lookup import build_trie

    ngrams = read_ngrams(file)
    edges, nodes, ends = build_trie(readonly(ngrams.values, np.int64), ngrams.offsets)
    return readonly(edges, np.int64), readonly(nodes, np.int64), readonly(ends, np.bool_)


@lru_cache(maxsize=8)
def _check(file: Resource, size: int) -> None:
    ngrams = read_ngrams(file)
    outside = ngrams.values >= size
    if outside.any():
        first = int(np.argmax(outside))
        line = int(np.searchsorted(ngrams.offsets, first, side="right"))
        raise VocabularyError(
            f"{file.path}, line {line}: id {ngrams.values[first]} is outside the vocabulary, whose "
            f"ids run from 0 to {size - 1}; was the list made with another tokenizer?"
        )


@dataclass(frozen=True)
class Phrases(Selector):
    """Select whole phrases and words in random order, up to ``rate`` times the *tokens*.

    A phrase is an entry of ``ngrams`` that starts and ends at word boundaries. A phrase inside a
    longer one is ignored. Of overlapping phrases one is drawn, then others that overlap none drawn
    so far. All other words are units of their own. The unit that would exceed the budget is treated
    as in ``words``.

    Args:
        ngrams: a file with one n-gram per line: token ids separated by spaces, optionally a tab and
            a score. ``maskplug ngrams`` creates one from a corpus.
        rate: share of the tokens, 0 to 1, or a schedule.

    Raises:
        OptionError: for an invalid line; the message names it.

    Source: Levine et al., "PMI-Masking", 2021.
    """

    ngrams: Resource
    rate: Schedule | float = 0.15

    unit: ClassVar[Unit] = "word"

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)
        read_ngrams(self.ngrams)

    def units(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        """Return the phrases and words of each sample, which together cover all maskable tokens."""
        from maskplug.kernels.lookup import match, segment

        _check(self.ngrams, vocab.size)
        words = units(tokens, vocab, "word")
        matches: IntArray = match(tokens.ids, *words.spans, *_trie(self.ngrams))
        keys = rng.stream_keys("phrases")
        return Selection(*segment(keys, matches, *words.spans), len(tokens.ids))

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        return until_spent(self.units(tokens, vocab, rng), self.rate, rng)
