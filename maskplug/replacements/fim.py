"""Fill in the middle: move the middle of a sample to its end."""

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
    """Cut samples at two random positions and move the middle to the end; ignore the selection.

    A sample becomes ``<prefix> p <suffix> s <middle> m`` (PSM) or ``<prefix> <suffix> s <middle> p
    m`` (SPM): three tokens are added, and none is removed. Both cuts are uniform over all
    positions, the ends included, so that each part may be empty. Special and protected tokens
    before the first and after the last maskable token stay outside; others move with the token
    after them.

    Args:
        rate: probability that a sample is rearranged, 0 to 1, or a schedule.
        spm: share of SPM among the rearranged samples, 0 to 1.
        level: "token" cuts between tokens. "character" cuts the decoded text, so that a model
            learns to continue inside a token, and encodes the three parts again. A sample is still
            cut between tokens if decoding its parts, separately or together, does not restore the
            text, if special or protected tokens are inside, or if the parts have over 16 tokens
            more than the sample. With tokenizers that insert a space before every text (Llama, T5)
            this applies to nearly every sample, and a warning is issued.
        prefix, middle, suffix: special tokens, by text or id.

    Raises:
        VocabularyError: if the vocabulary lacks these tokens or, for "character", a codec.

    Source: Bavarian et al., "Efficient training of language models to fill in the middle", 2022
    (its second variant of SPM). The BigCode code truncates the result to the length of the
    original, and may lose the middle.
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
        from maskplug.kernels.rewrite import LEFT, PREFIX_FIRST, SUFFIX_FIRST

        user = "the replacement 'fim'"
        marks = [vocab.id_of(name, user) for name in (self.prefix, self.middle, self.suffix)]
        candidates = units(tokens, vocab)
        words = rng.bits("fim", np.full(len(tokens), 4)).reshape(-1, 4)
        moved = (words[:, 0] < thresholds(rng.value(self.rate))) & (candidates.counts > 0)
        kinds = np.where(words[:, 1] < round(self.spm * 2.0**32), SUFFIX_FIRST, PREFIX_FIRST)
        kinds = np.where(moved, kinds, LEFT)
        edges = _edges(tokens, candidates, words)
        if self.level == "token":
            return _rearranged(tokens.ids, edges, kinds, marks)
        codec = require_codec(vocab, user)
        whole = np.diff(edges[:, [1, 4]]).ravel() == candidates.counts
        joint = kinds == SUFFIX_FIRST
        pieces = Pieces(tokens.ids, np.arange(len(tokens.ids)), edges)
        pieces = cut_texts(pieces, moved & whole, words[:, 2:], joint, codec, vocab.special)
        rows = _rearranged(pieces.ids, pieces.edges, kinds, marks)
        return replace(rows, sources=np.append(pieces.sources, -1)[rows.sources])

    def bound(self, lengths: IntArray, most: SelectionBound) -> IntArray:
        return lengths + (3 if self.level == "token" else 3 + ROOM)


def _rearranged(ids: IntArray, edges: IntArray, kinds: IntArray, marks: list[int]) -> Ragged:
    from maskplug.kernels.rewrite import LEFT, rearrange

    size = int((edges[:, 5] - edges[:, 0] + 3 * (kinds != LEFT)).sum())
    out, sources = np.empty(size, np.int64), np.empty(size, np.int64)
    ids, edges, kinds = (readonly(array, np.int64) for array in (ids, edges, kinds))
    offsets = rearrange(out, sources, ids, edges, kinds, *marks)
    return Ragged(out, offsets, sources)


def _edges(tokens: TokenBatch, candidates: Selection, words: Words) -> IntArray:
    """Return the six positions of ``kernels.rewrite.rearrange``, cut between tokens."""
    counts = candidates.counts
    cuts = np.sort([below(words[:, i], counts + 1) for i in (2, 3)], axis=0)
    starts = np.append(candidates.starts, 0)
    first = np.where(counts > 0, starts[candidates.offsets[:-1]], tokens.offsets[:-1])
    # Cut c > 0 is directly after maskable token c: other tokens move with the token after them.
    a, b, end = (
        np.where(cut > 0, starts[candidates.offsets[:-1] + cut - 1] + 1, first)
        for cut in (*cuts, counts)
    )
    return np.stack([tokens.offsets[:-1], first, a, b, end, tokens.offsets[1:]], axis=1)
