"""Rotate a sample to start at a random token."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.parts import Replacement, Schedule
from maskplug.ragged import Ragged
from maskplug.replacements.rewritten import rearranged
from maskplug.rng import Rng
from maskplug.schedule import check_rate
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import thresholds
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Rotate(Replacement):
    """Rotate a sample to start at a uniformly drawn token; the selection is ignored.

    Maskable tokens and the masks among them move; all other special tokens and protected ones stay
    in place.

    Args:
        rate: probability that a sample is rotated, 0 to 1, or a schedule.

    Source: document rotation of Lewis et al., "BART", 2020, section 2.2.
    """

    rate: Schedule | float = 1.0

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        from maskplug.kernels.arrange import rotations

        moving = vocab.maskable(tokens)
        if vocab.mask_id is not None:
            masks = tokens.ids == vocab.mask_id
            if "protected" in tokens.annotations:
                masks &= ~tokens.annotations["protected"].astype(np.bool_)
            moving = moving | masks
        places = Selection.from_mask(moving, tokens)
        limits = thresholds(rng.value(self.rate))
        order = rotations(rng.stream_keys("rotate"), places.offsets, limits)
        return rearranged(tokens, places, order)
