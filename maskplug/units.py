"""Units of selection: tokens, whole words or sentences."""

from __future__ import annotations

from typing import Literal

import numpy as np

from maskplug.parts import Schedule
from maskplug.rng import Rng
from maskplug.schedule import highest
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import BoolArray, IntArray, UintArray, Words, ones, readonly
from maskplug.vocabulary import Vocabulary
from maskplug.vocabulary.words import token_codes

Unit = Literal["token", "word", "sentence"]

NO_IDS = readonly([], np.int64)


def units(tokens: TokenBatch, vocab: Vocabulary, unit: Unit = "token") -> Selection:
    """Return all maskable units of a batch as a selection.

    A word is a run of maskable tokens of which only the first starts a word; special and protected
    tokens end it. Word starts come from the annotation ``word_starts`` or the vocabulary (see
    ``Vocabulary.from_pieces``); sentences are defined likewise. Units are counted without special
    tokens, so that frameworks that add different special tokens draw the same masks.

    Args:
        tokens: the batch.
        vocab: defines maskable tokens and where words and sentences start.
        unit: "token", "word" or "sentence".

    Raises:
        TokenError: when an id is outside the vocabulary.
        VocabularyError: when neither batch nor vocabulary defines where words (sentences) start.

    Example:
        >>> vocab = Vocabulary.from_pieces(["<s>", "▁new", "er"], special_ids=[0])
        >>> tokens = TokenBatch.from_lists([[0, 1, 2, 1, 0]])
        >>> units(tokens, vocab, "word").lengths.tolist()
        [2, 1]
    """
    if unit == "token":
        return _token_units(tokens, vocab)
    if unit == "sentence" or "word_starts" in tokens.annotations or vocab.word_codes is None:
        first = vocab.word_starts if unit == "word" else vocab.sentence_starts
        return runs(vocab.maskable(tokens), first(tokens), tokens)
    if "protected" in tokens.annotations:
        maskable = vocab.maskable(tokens)
        codes = readonly(np.where(maskable, vocab.word_codes[tokens.ids], 0), np.uint32)
        return _runs(NO_IDS, codes, tokens)
    vocab.check(tokens)
    return _runs(tokens.ids, vocab.word_codes, tokens)


def runs(maskable: BoolArray, begins: BoolArray, tokens: TokenBatch) -> Selection:
    """Return runs of maskable tokens, split before each token where ``begins`` is True.

    Example:
        >>> tokens = TokenBatch.from_lists([[5, 6, 7, 8]])
        >>> there = np.array([True, True, False, True])
        >>> runs(there, np.array([True, True, False, False]), tokens).starts.tolist()
        [0, 1, 3]
    """
    return _runs(NO_IDS, token_codes(maskable, begins), tokens)


def _runs(ids: IntArray, codes: Words, tokens: TokenBatch) -> Selection:
    """Return runs of maskable tokens; see ``kernels.units.word_units`` for ids and codes."""
    from maskplug.kernels.units import word_units

    # numpy allocates large arrays on huge pages; numba does not.
    starts, lengths = np.empty((2, len(tokens.ids) + 1), np.int64)
    offsets = word_units(ids, codes, tokens.offsets, starts, lengths)
    count = offsets[-1]
    return Selection(starts[:count], lengths[:count], offsets, len(tokens.ids))


def _token_units(tokens: TokenBatch, vocab: Vocabulary) -> Selection:
    if "protected" in tokens.annotations:
        return Selection.from_mask(vocab.maskable(tokens), tokens)
    from maskplug.kernels.units import token_units

    vocab.check(tokens)
    starts = np.empty(len(tokens.ids), np.int64)
    offsets = token_units(tokens.ids, vocab.special, tokens.offsets, starts)
    return Selection(starts[: offsets[-1]], ones(offsets[-1]), offsets, len(tokens.ids))


def exactly(candidates: Selection, counts: IntArray, keys: UintArray) -> Selection:
    """Select ``counts`` candidates per sample at random (all, if there are fewer).

    All subsets are equally likely.

    Args:
        candidates: the units to select from.
        counts: number of units, int64, one per sample.
        keys: stream keys of the draws, uint64, one per sample.

    Example:
        >>> candidates = units(TokenBatch.from_lists([[5, 6, 7], [8]]), Vocabulary(size=9))
        >>> chosen = exactly(candidates, np.array([2, 2]), np.array([1, 2], np.uint64))
        >>> chosen.counts.tolist()
        [2, 1]
    """
    from maskplug.kernels.select import exact_units

    chosen = exact_units(readonly(keys, np.uint64), *candidates.spans, readonly(counts, np.int64))
    return Selection(*chosen, candidates.size)


def budget(rate: Schedule | float, available: IntArray, rng: Rng) -> IntArray:
    """Return the number of units to select per sample: int64.

    ``rate * available``, rounded up or down at random so that the mean is exact, and at least one
    if any unit is available and the rate is not zero.

    Example:
        >>> budget(0.15, np.array([0, 3, 200]), Rng.at(seed=1, t=0, keys=[1, 2, 3])).tolist()
        [0, 1, 30]
    """
    from maskplug.kernels.select import budgets

    counts: IntArray = budgets(
        rng.stream_keys("budget"),
        readonly(available, np.int64),
        readonly(rng.value(rate), np.float64),
    )
    return counts


def max_budget(rate: Schedule | float, available: IntArray) -> IntArray:
    """Return the maximum of :func:`budget`: int64, one per sample.

    Example:
        >>> max_budget(0.15, np.array([0, 3, 200, 201])).tolist()
        [0, 1, 30, 31]
    """
    counts: IntArray = np.minimum(np.ceil(highest(rate) * available).astype(np.int64), available)
    return counts


def merge_adjacent(selection: Selection) -> Selection:
    """Return a selection of the same tokens in which adjacent spans are merged.

    Example:
        >>> spans = Selection(np.array([0, 1, 4]), np.array([1, 2, 1]), np.array([0, 3]), 6)
        >>> merge_adjacent(spans).starts.tolist(), merge_adjacent(spans).lengths.tolist()
        ([0, 4], [3, 1])
    """
    from maskplug.kernels.units import join, touching

    if not touching(*selection.spans):
        return selection
    return Selection(*join(*selection.spans), selection.size)


def contiguous(candidates: Selection, firsts: IntArray, counts: IntArray) -> Selection:
    """Select ``counts`` consecutive units of each sample, starting at unit ``firsts``.

    Tokens that are not units are not selected and split a span.

    Example:
        >>> vocab = Vocabulary(size=9, special_ids=[0])
        >>> candidates = units(TokenBatch.from_lists([[5, 6, 0, 7, 8]]), vocab)
        >>> chosen = contiguous(candidates, np.array([1]), np.array([2]))
        >>> chosen.starts.tolist(), chosen.lengths.tolist()
        ([1, 3], [1, 1])
    """
    from maskplug.kernels.units import stretch as neighbours

    spans = neighbours(
        *candidates.spans,
        readonly(firsts, np.int64),
        readonly(counts, np.int64),
    )
    return Selection(*spans, candidates.size)
