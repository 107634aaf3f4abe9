"""Whole phrases of a list, up to a budget of tokens."""

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

#: Ids have 32 bits in the edges of a trie.
BIGGEST = (1 << 32) - 1


def _parsed(line: str) -> list[int]:
    entry, tab, score = line.partition("\t")
    if tab:
        float(score)
    ids = [int(word) for word in entry.split()]
    if not ids or min(ids) < 0 or max(ids) > BIGGEST:
        raise ValueError("an n-gram has one or more ids, none of them negative")
    return ids


@lru_cache(maxsize=8)
def read_ngrams(file: Resource) -> Ragged:
    """The n-grams of a file: one a line, ids separated by blanks, and a score behind a tab or not.

    Raises:
        OptionError: when a line is something else; the message names it.
    """
    rows = []
    for number, line in enumerate(file.lines(), 1):
        try:
            rows.append(_parsed(line))
        except ValueError as error:
            raise OptionError(
                f"{file.path}, line {number}: {shortened(line)} is no n-gram ({error}); it is "
                "written as token ids, and a tab and a score if you like: '17 5 88\\t3.2'"
            ) from None
    return Ragged.of(rows)


@lru_cache(maxsize=8)
def _trie(file: Resource) -> tuple[Any, ...]:
    from maskplug.kernels.phrases import build_trie

    ngrams = read_ngrams(file)
    edges, nodes, ends = build_trie(readonly(ngrams.values, np.int64), ngrams.offsets)
    return readonly(edges, np.int64), readonly(nodes, np.int64), readonly(ends, np.bool_)


@lru_cache(maxsize=8)
def _check(file: Resource, size: int) -> None:
    ngrams = read_ngrams(file)
    beyond = ngrams.values >= size
    if beyond.any():
        where = int(np.argmax(beyond))
        line = int(np.searchsorted(ngrams.offsets, where, side="right"))
        raise VocabularyError(
            f"{file.path}, line {line}: id {ngrams.values[where]} is outside the vocabulary, whose "
            f"ids run from 0 to {size - 1}; was the list made with another tokenizer?"
        )


@dataclass(frozen=True)
class Phrases(Selector):
    """Chooses phrases and words in random order until ``rate`` times the *tokens* are chosen.

    A phrase is an entry of ``ngrams`` that begins and ends with words in the text. One inside of
    another does not count; of those that overlap, one is drawn, and what then overlaps nothing that
    was drawn may be drawn in turn. All other words are units of their own. The unit that would
    exceed the budget is taken as ``words`` does.

    Args:
        ngrams: a file with one n-gram a line: token ids separated by blanks, and a tab and a score
            or not. ``maskplug ngrams`` makes one.
        rate: share of the tokens, from 0 to 1, or a schedule.

    Raises:
        OptionError: for a bad line, by its number.

    Source: Levine et al., "PMI-Masking", 2021.
    """

    ngrams: Resource
    rate: Schedule | float = 0.15

    unit: ClassVar[Unit] = "word"

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)
        read_ngrams(self.ngrams)

    def units(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        """The phrases and words that each sample falls into: all its maskable tokens."""
        from maskplug.kernels.phrases import match, segment

        _check(self.ngrams, vocab.size)
        words = units(tokens, vocab, "word")
        found: IntArray = match(
            tokens.ids, words.starts, words.lengths, words.offsets, *_trie(self.ngrams)
        )
        keys = rng.stream_keys("phrases")
        return Selection(
            *segment(keys, found, words.starts, words.lengths, words.offsets), len(tokens.ids)
        )

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        return until_spent(self.units(tokens, vocab, rng), self.rate, rng)
