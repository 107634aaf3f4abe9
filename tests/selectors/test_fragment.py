"""Tests of the selector ``fragment``."""

from __future__ import annotations

import numpy as np
import pytest

from maskplug.selectors import Fragment
from support.batches import equal_rows, fits, select

N = 20_000


@pytest.mark.parametrize("edges", [0.0, 0.2, 0.5])
def test_positions_follow_their_distribution(edges: float) -> None:
    selection = select(Fragment(0.5, edges), equal_rows(N, 12))
    assert selection.lengths.tolist() == [6] * N
    counts = np.bincount(selection.starts % 12, minlength=7)
    inner = (1 - 2 * edges) / 7
    probs = np.full(7, inner) + np.eye(7)[0] * edges + np.eye(7)[6] * edges
    seen = probs > 0
    assert counts[~seen].sum() == 0
    assert fits(counts[seen], probs[seen])
