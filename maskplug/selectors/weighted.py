"""An exact number of units, drawn in proportion to their weights."""

from __future__ import annotations

import numpy as np

from maskplug.arrays import FloatArray, frozen
from maskplug.parts import Schedule
from maskplug.rng import Rng
from maskplug.tokens import Selection
from maskplug.units import budget


def by_weight(
    candidates: Selection, weights: FloatArray, rate: Schedule | float, rng: Rng
) -> Selection:
    """``rate`` times the candidates of each sample, one after the other in proportion to weight.

    Args:
        candidates: all units of the batch, as ``units`` gives them.
        weights: one for each of them, finite and not negative. Units of weight 0 are chosen only
            where no other is left.
        rate: from 0 to 1, or a schedule; rounded as ``budget`` rounds.
        rng: draws ``budget`` and ``weighted``.
    """
    from maskplug.kernels.weighted import weighted

    chosen = weighted(
        rng.stream_keys("weighted"),
        candidates.offsets,
        frozen(weights, np.float64),
        budget(rate, candidates.counts, rng),
    )
    return candidates.take(chosen)
