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

PLACEHOLDER = readonly([0], np.int64)
NO_STARTS = readonly([], np.bool_)


@dataclass(frozen=True)
class Mix(Replacement):
    """Replace selected tokens with the mask or with random tokens, or leave them unchanged.

    Args:
        mask, random: probabilities, together at most 1; the rest leaves the token unchanged.
        unit: "token", "word" or "span": the unit of the selection for which one decision is made. A
            word or span that becomes random has a random token at each position.

    Random tokens are uniform over the tokens that are not special.

    Source: Devlin et al., "BERT", 2019, section 3.1; decisions per span as in SpanBERT (2020).
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
        from maskplug.kernels.rewrite import mix

        mask_id = vocab.require_mask("the replacement 'mix'") if self.mask > 0 else -1
        # The kernel always draws an id, and ignores it if ``random`` is 0.
        ordinary = vocab.require_ordinary() if self.random > 0 else PLACEHOLDER
        out = tokens.ids.copy()
        mix(
            out,
            *selection.spans,
            readonly(vocab.word_starts(tokens), np.bool_) if self.unit == "word" else NO_STARTS,
            self.unit == "token",
            rng.stream_keys("mix kind"),
            rng.stream_keys("mix id"),
            np.uint64(round(self.mask * 2**32)),
            np.uint64(round(min(self.mask + self.random, 1.0) * 2**32)),
            mask_id,
            ordinary,
        )
        return Ragged(out, tokens.offsets)
