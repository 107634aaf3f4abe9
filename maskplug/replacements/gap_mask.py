"""Replace gap sentences with masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.parts import Replacement
from maskplug.ragged import Ragged
from maskplug.replacements.rewritten import one_each, rewritten
from maskplug.rng import Rng
from maskplug.schedule import check_share
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import IntArray, thresholds
from maskplug.validation.options import check_token
from maskplug.vocabulary import Vocabulary

#: PEGASUS's mask for a sentence; ``<mask_2>`` is its mask for a token.
SENTENCE_MASK = "<mask_1>"


@dataclass(frozen=True)
class GapMask(Replacement):
    """Replace each selected span with one mask, except for a share that stays unchanged.

    Empty spans stay empty.

    Args:
        token: special token to write, by text or id. By default ``<mask_1>`` if the vocabulary has
            it, as PEGASUS's does, otherwise the mask.
        keep: probability that a selected span stays unchanged, 0 to 1.

    Source: Zhang et al., "PEGASUS", 2020; its large model keeps 10 % of the gap sentences.
    """

    token: str | int | None = None
    keep: float = 0.0

    def __post_init__(self) -> None:
        check_token("token", self.token)
        check_share("keep", self.keep)

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        mask_id = self._mask_id(vocab)
        hidden = selection.lengths > 0
        if self.keep > 0.0:
            limit = thresholds(self.keep)
            hidden &= rng.bits("gap kept", selection.counts).astype(np.uint64) >= limit
        selection = selection.take(hidden)
        ids: IntArray = np.full(len(selection.starts), mask_id, np.int64)
        return rewritten(tokens, selection, one_each(selection, ids))

    def _mask_id(self, vocab: Vocabulary) -> int:
        user = "the replacement 'gap_mask'"
        if self.token is not None:
            return vocab.id_of(self.token, user)
        if SENTENCE_MASK in vocab.named:
            return vocab.named[SENTENCE_MASK]
        return vocab.require_mask(user)
