"""What a batch may need besides its strategy's kernels: run once, so that workers find it compiled.

Adapters call this after ``Strategy.try_out``, which is one short row: kernels that other rows need
do not show there.
"""

from __future__ import annotations

import numpy as np

from maskplug.rng import derive
from maskplug.tokens import Masked, Selection, TokenBatch
from maskplug.units import merge_adjacent


def warm_up(tried: Masked) -> None:
    """Run the kernels of keys, and those that stand behind ``tried`` for some batches only.

    Args:
        tried: what the strategy made of a few tokens.
    """
    rows = TokenBatch.from_lists([[0, 0], [0]])  # their keys follow from their content
    derive(rows.keys, "rehearsal")
    if tried.targets is not None:  # one sentinel stands for spans that touch
        ones = np.ones(2, np.int64)
        merge_adjacent(Selection(np.arange(2), ones, np.array([0, 2, 2]), len(rows.ids)))
