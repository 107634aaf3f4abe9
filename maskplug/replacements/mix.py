"""Mask, random token or unchanged: BERT's 80/10/10."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from maskplug.errors import OptionError
from maskplug.parts import Replacement
from maskplug.ragged import Ragged
from maskplug.rng import Rng
from maskplug.schedule import check_share
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import readonly
from maskplug.vocabulary import Vocabulary

NONE = readonly([0], np.int64)
NOWHERE = readonly([], np.bool_)


@dataclass(frozen=True)
class Mix(Replacement):
    """Writes the mask with probability ``mask``, a random token with ``random``, else nothing.

    Args:
        mask, random: probabilities; what is left of 1 keeps the original token.
        unit: one decision for each "token", "word" or "span" of the selection. A word or span that
            becomes random gets a random token at each position.

    Random tokens are drawn evenly from those that are not special.

    Raises:
        OptionError: when a probability is not in [0, 1], or both together exceed 1.

    Source: Devlin et al., "BERT", 2019, section 3.1; decisions by span as in SpanBERT (2020).
    """

    mask: float = 0.8
    random: float = 0.1
    unit: Literal["token", "word", "span"] = "token"

    def __post_init__(self) -> None:
        check_share("mask", self.mask)
        check_share("random", self.random)
        if self.mask + self.random > 1.0 + 1e-9:
            raise OptionError(
                f"options 'mask' and 'random' are {self.mask} and {self.random}; together they "
                "must not exceed 1"
            )

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        from maskplug.kernels.replace import mix

        mask_id = vocab.require_mask("the replacement 'mix'") if self.mask > 0 else -1
        # Without random tokens there need not be one to draw; what is drawn is then not used.
        ordinary = vocab.require_ordinary() if self.random > 0 else NONE
        out = tokens.ids.copy()
        mix(
            out,
            selection.starts,
            selection.lengths,
            selection.offsets,
            readonly(vocab.word_starts(tokens), np.bool_) if self.unit == "word" else NOWHERE,
            self.unit == "token",
            rng.stream_keys("mix kind"),
            rng.stream_keys("mix id"),
            np.uint64(round(self.mask * 2**32)),
            np.uint64(round(min(self.mask + self.random, 1.0) * 2**32)),
            mask_id,
            ordinary,
        )
        return Ragged(out, tokens.offsets)
