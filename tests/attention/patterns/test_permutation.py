"""permutation: orders from an annotation, or drawn."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug.errors import MaskplugWarning
from maskplug.objectives.xlnet import perm_mask
from support.batches import VOCAB, equal_rows, fits

DRAWN = "permutation:order=drawn,stream=content"
N = 12_000


def orders(rng: np.random.Generator, batch: int, length: int) -> Any:
    rows = np.full((batch, length), -1)
    for row in rows:
        predicted = np.flatnonzero(rng.random(length) < rng.random())
        row[predicted] = rng.permutation(len(predicted))
    return rows


@pytest.mark.filterwarnings("ignore:pattern .* hides every key")
def test_query_stream_matches_perm_mask() -> None:
    rng = np.random.default_rng(0)
    pattern = maskplug.pattern("permutation")
    for length in (1, 2, 9, 40):
        order = orders(rng, 30, length)
        mask = pattern.dense(length, order=order, keys=range(30))
        assert (mask[:, 0] == (perm_mask(order) == 0)).all()


def test_reads_the_order_of_the_strategy() -> None:
    tokens = equal_rows(5, 20)
    masked = maskplug.strategy("permutation", rate=0.3)(tokens, VOCAB, seed=1)
    order = masked.annotations["order"].reshape(5, 20)
    mask = maskplug.pattern("permutation").dense(20, order=order, keys=range(5))
    predicted = masked.selection.mask.reshape(5, 20)
    assert mask[:, 0].diagonal(axis1=1, axis2=2).tolist() == (~predicted).tolist()
    assert (mask[:, 0] == (perm_mask(order) == 0)).all()


def test_all_orders_are_equally_likely() -> None:
    mask = maskplug.pattern(DRAWN).dense(4, keys=range(N))[:, 0]
    ranks = [tuple(row) for row in (mask.sum(-1) - 1).tolist()]
    counts = [ranks.count(order) for order in permutations(range(4))]
    assert sum(counts) == N
    assert fits(counts, np.ones(24))


def test_the_first_token_has_an_empty_row_in_the_query_stream() -> None:
    pattern = maskplug.pattern("permutation:order=drawn")
    with pytest.warns(MaskplugWarning, match="hides every key from 1 of 7 queries"):
        mask = pattern.dense(7, keys=[2])[0, 0]
    content = maskplug.pattern(DRAWN).dense(7, keys=[2])[0, 0]
    assert (mask == (content & ~np.eye(7, dtype=bool))).all()
