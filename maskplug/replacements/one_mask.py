"""Replace each span with one token."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.parts import Replacement, SelectionBound
from maskplug.ragged import Ragged
from maskplug.replacements.rewritten import one_each, rewritten
from maskplug.rng import Rng
from maskplug.schedule import check_share
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import IntArray, thresholds
from maskplug.validation.options import check_token
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class OneMask(Replacement):
    """Replace each span with one mask or, with probability ``random``, one random token.

    A model must also find how many tokens are missing. At an empty span, the token is inserted.

    Args:
        token: special token to write, by text or id; the mask if omitted.
        random: probability of a random token, 0 to 1, uniform over the tokens that are not special.

    Source: text infilling of Lewis et al., "BART", 2020, section 2.2; ``random`` is fairseq's
    ``mask_random``.
    """

    token: str | int | None = None
    random: float = 0.0

    def __post_init__(self) -> None:
        check_token("token", self.token)
        check_share("random", self.random)

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        ids: IntArray = np.full(len(selection.starts), self._mask_id(vocab), np.int64)
        if self.random > 0.0:
            ordinary = vocab.require_ordinary()
            limit = thresholds(self.random)
            is_random = rng.bits("one mask kind", selection.counts).astype(np.uint64) < limit
            drawn = rng.integers("one mask id", selection.counts, len(ordinary))
            ids[is_random] = ordinary[drawn[is_random]]
        return rewritten(tokens, selection, one_each(selection, ids))

    def _mask_id(self, vocab: Vocabulary) -> int:
        user = "the replacement 'one_mask'"
        if self.token is not None:
            return vocab.id_of(self.token, user)
        return vocab.require_mask(user) if self.random < 1.0 else -1

    def bound(self, lengths: IntArray, most: SelectionBound) -> IntArray:
        return lengths + most.empty
