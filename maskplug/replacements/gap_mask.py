"""One mask for each sentence that is to be written."""

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

#: What PEGASUS calls the mask of a sentence; ``<mask_2>`` is that of a token.
SENTENCE_MASK = "<mask_1>"


@dataclass(frozen=True)
class GapMask(Replacement):
    """Writes one mask for each chosen span, but leaves a share of them as they are.

    Empty spans stay empty.

    Args:
        token: the special token to write, by its text or its id. None writes ``<mask_1>`` where the
            vocabulary names it, as that of PEGASUS does, and otherwise the mask.
        keep: probability of each span to stay as it is, though it is chosen.

    Raises:
        OptionError: when the probability is not in [0, 1].

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
        who = "the replacement 'gap_mask'"
        if self.token is not None:
            return vocab.id_of(self.token, who)
        if SENTENCE_MASK in vocab.named:
            return vocab.named[SENTENCE_MASK]
        return vocab.require_mask(who)
