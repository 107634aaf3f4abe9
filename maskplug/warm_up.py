"""Warm up the remaining kernels so that data-loading workers do not compile.

Adapters call this after ``Strategy.dry_run``, which masks one short row and does not need all
kernels.
"""

from __future__ import annotations

import numpy as np

from maskplug.rng import derive
from maskplug.tokens import Masked, Selection, TokenBatch
from maskplug.units import merge_adjacent


def warm_up(tried: Masked) -> None:
    """Run the kernels that ``Strategy.dry_run`` does not run.

    Args:
        tried: the result of the dry run.
    """
    rows = TokenBatch.from_lists([[0, 0], [0]])  # content keys
    derive(rows.keys, "rehearsal")
    if tried.targets is not None:  # adjacent spans share one sentinel
        ones = np.ones(2, np.int64)
        merge_adjacent(Selection(np.arange(2), ones, np.array([0, 2, 2]), len(rows.ids)))
