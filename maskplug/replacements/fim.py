"""The middle moves to the end: fill in the middle."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from maskplug.parts import Replacement, Schedule, SelectionBound
from maskplug.ragged import Ragged
from maskplug.replacements.text_cuts import ROOM, Pieces, cut_texts, require_codec
from maskplug.rng import Rng
from maskplug.schedule import check_rate, check_share
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import IntArray, Words, below, readonly, thresholds
from maskplug.units import units
from maskplug.validation.options import check_token
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Fim(Replacement):
    """Cuts a sample at two random places and writes its middle last, whatever was chosen.

    A sample becomes ``<prefix> p <suffix> s <middle> m`` (PSM) or ``<prefix> <suffix> s <middle> p
    m`` (SPM): three tokens are added, and none is cut off. Both cuts are uniform over all places,
    the ends included, so that each part may be empty. What is not maskable in front of the first
    and behind the last maskable token stays outside; in between it moves with what follows it.

    Args:
        rate: the probability that a sample is rearranged, from 0 to 1, or a schedule.
        spm: the share of SPM among the rearranged samples.
        level: "token" cuts between tokens; "character" cuts the decoded text, so that a model
            learns to begin inside a token, and encodes the three parts anew. A sample is cut
            between tokens all the same where its parts, each alone or all side by side, do not come
            back from their tokens unchanged, where special or protected tokens stand in between, or
            where its parts have over 16 tokens more than it had. With tokenizers that write a blank
            in front of every text (Llama, T5) that is nearly every sample, and there is a warning.
        prefix, middle, suffix: special tokens, by their text or id.

    Raises:
        VocabularyError: when the vocabulary has no such tokens; or, at the level of characters, no
            codec.

    Source: Bavarian et al., "Efficient training of language models to fill in the middle", 2022
    (its second variant of SPM). The BigCode code cuts what it made to the length of the original,
    and may lose the middle.
    """

    rate: Schedule | float = 0.5
    spm: float = 0.5
    level: Literal["token", "character"] = "token"
    prefix: str | int = "<fim_prefix>"
    middle: str | int = "<fim_middle>"
    suffix: str | int = "<fim_suffix>"

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)
        check_share("spm", self.spm)
        for name in ("prefix", "middle", "suffix"):
            check_token(name, getattr(self, name))

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        from maskplug.kernels.fim import LEFT, PREFIX_FIRST, SUFFIX_FIRST

        who = "the replacement 'fim'"
        marks = [vocab.id_of(name, who) for name in (self.prefix, self.middle, self.suffix)]
        candidates = units(tokens, vocab)
        words = rng.bits("fim", np.full(len(tokens), 4)).reshape(-1, 4)
        moved = (words[:, 0] < thresholds(rng.value(self.rate))) & (candidates.counts > 0)
        kinds = np.where(words[:, 1] < round(self.spm * 2.0**32), SUFFIX_FIRST, PREFIX_FIRST)
        kinds = np.where(moved, kinds, LEFT)
        edges = _edges(tokens, candidates, words)
        if self.level == "token":
            return _rearranged(tokens.ids, edges, kinds, marks)
        codec = require_codec(vocab, who)
        whole = np.diff(edges[:, [1, 4]]).ravel() == candidates.counts
        joint = kinds == SUFFIX_FIRST
        pieces = Pieces(tokens.ids, np.arange(len(tokens.ids)), edges)
        pieces = cut_texts(pieces, moved & whole, words[:, 2:], joint, codec, vocab.special)
        made = _rearranged(pieces.ids, pieces.edges, kinds, marks)
        return replace(made, sources=np.append(pieces.sources, -1)[made.sources])

    def bound(self, lengths: IntArray, most: SelectionBound) -> IntArray:
        return lengths + (3 if self.level == "token" else 3 + ROOM)


def _rearranged(ids: IntArray, edges: IntArray, kinds: IntArray, marks: list[int]) -> Ragged:
    from maskplug.kernels.fim import LEFT, rearrange

    size = int((edges[:, 5] - edges[:, 0] + 3 * (kinds != LEFT)).sum())
    out, sources = np.empty(size, np.int64), np.empty(size, np.int64)
    ids, edges, kinds = (readonly(array, np.int64) for array in (ids, edges, kinds))
    offsets = rearrange(out, sources, ids, edges, kinds, *marks)
    return Ragged(out, offsets, sources)


def _edges(tokens: TokenBatch, candidates: Selection, words: Words) -> IntArray:
    """The six positions of :func:`maskplug.kernels.fim.rearrange`, cut between tokens."""
    counts = candidates.counts
    cuts = np.sort([below(words[:, i], counts + 1) for i in (2, 3)], axis=0)
    starts = np.append(candidates.starts, 0)
    first = np.where(counts > 0, starts[candidates.offsets[:-1]], tokens.offsets[:-1])
    # The cut number c > 0 is right behind token c: what is not maskable goes with what follows.
    a, b, end = (
        np.where(cut > 0, starts[candidates.offsets[:-1] + cut - 1] + 1, first)
        for cut in (*cuts, counts)
    )
    return np.stack([tokens.offsets[:-1], first, a, b, end, tokens.offsets[1:]], axis=1)
