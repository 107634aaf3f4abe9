"""What can be chosen: the tokens, or the whole words, that a selector picks from."""

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
    """Everything that may be chosen, as a selection of all of it.

    A word is a run of maskable tokens in which only the first begins a word; a special or protected
    token ends it; ``Vocabulary.from_pieces`` says where words begin. A sentence is the same with
    the beginnings of sentences. The n-th unit of a sample is the same whatever special tokens
    surround it, and so are its draws: that is why two frameworks with different specials mask
    alike.

    Args:
        tokens: the batch.
        vocab: says which tokens may be masked and where words and sentences begin.
        unit: "token", "word" or "sentence".

    Raises:
        TokenError: when an id is outside the vocabulary.
        VocabularyError: when nothing tells where words (or sentences) begin.

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
    """The runs of maskable tokens, each cut where something begins: words, or the like.

    Example:
        >>> tokens = TokenBatch.from_lists([[5, 6, 7, 8]])
        >>> there = np.array([True, True, False, True])
        >>> runs(there, np.array([True, True, False, False]), tokens).starts.tolist()
        [0, 1, 3]
    """
    return _runs(NO_IDS, token_codes(maskable, begins), tokens)


def _runs(ids: IntArray, codes: Words, tokens: TokenBatch) -> Selection:
    """As :func:`runs`; what ids and codes are, :func:`word_units` says."""
    from maskplug.kernels.units import word_units

    # Made by numpy, which asks for huge pages where arrays are large.
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
    """So many of the candidates of each sample (all, where there are fewer), by chance.

    Every subset is equally likely.

    Args:
        candidates: what there is to choose from.
        counts: how many to choose, int64, one each.
        keys: of the streams that they are drawn with, uint64, one each.

    Example:
        >>> candidates = units(TokenBatch.from_lists([[5, 6, 7], [8]]), Vocabulary(size=9))
        >>> chosen = exactly(candidates, np.array([2, 2]), np.array([1, 2], np.uint64))
        >>> chosen.counts.tolist()
        [2, 1]
    """
    from maskplug.kernels.select import exact_units

    starts, lengths, offsets = candidates.starts, candidates.lengths, candidates.offsets
    chosen = exact_units(
        readonly(keys, np.uint64), starts, lengths, offsets, readonly(counts, np.int64)
    )
    return Selection(*chosen, candidates.size)


def budget(rate: Schedule | float, available: IntArray, rng: Rng) -> IntArray:
    """How many of the ``available`` units of each sample to choose: int64, one each.

    ``rate * available``, rounded up or down at random so that the mean is exact, and at least one
    where there is anything to choose and the rate is not zero.

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
    """The most that :func:`budget` can give: int64, one each.

    Example:
        >>> most(0.15, np.array([0, 3, 200, 201])).tolist()
        [0, 1, 30, 31]
    """
    counts: IntArray = np.minimum(np.ceil(highest(rate) * available).astype(np.int64), available)
    return counts


def merge_adjacent(selection: Selection) -> Selection:
    """The same tokens, with spans that touch made one span.

    Example:
        >>> spans = Selection(np.array([0, 1, 4]), np.array([1, 2, 1]), np.array([0, 3]), 6)
        >>> joined(spans).starts.tolist(), joined(spans).lengths.tolist()
        ([0, 4], [3, 1])
    """
    from maskplug.kernels.runs import touching
    from maskplug.kernels.units import join

    if not touching(selection.starts, selection.lengths, selection.offsets):
        return selection
    return Selection(*join(selection.starts, selection.lengths, selection.offsets), selection.size)


def contiguous(candidates: Selection, firsts: IntArray, counts: IntArray) -> Selection:
    """Neighbouring units of every sample: ``counts`` of them, from its unit ``firsts`` on.

    Tokens that are no unit stay out, and cut the stretch in two.

    Example:
        >>> vocab = Vocabulary(size=9, special_ids=[0])
        >>> candidates = units(TokenBatch.from_lists([[5, 6, 0, 7, 8]]), vocab)
        >>> chosen = stretch(candidates, np.array([1]), np.array([2]))
        >>> chosen.starts.tolist(), chosen.lengths.tolist()
        ([1, 3], [1, 1])
    """
    from maskplug.kernels.runs import stretch as neighbours

    spans = neighbours(
        candidates.starts,
        candidates.lengths,
        candidates.offsets,
        readonly(firsts, np.int64),
        readonly(counts, np.int64),
    )
    return Selection(*spans, candidates.size)
