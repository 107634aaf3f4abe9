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


@pytest.mark.filterwarnings("ignore:pattern .* hides every key")
def test_content_stream_adds_the_diagonal() -> None:
    order = orders(np.random.default_rng(1), 30, 12)
    query, content = (
        maskplug.pattern("permutation", stream=stream).dense(12, order=order, keys=range(30))
        for stream in ("query", "content")
    )
    assert (content == (query | np.eye(12, dtype=bool))).all()
    assert (query != content).any()


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


def test_of_two_tokens_exactly_one_attends_to_the_other() -> None:
    mask = maskplug.pattern(DRAWN).dense(13, keys=range(50))[:, 0]
    assert (mask ^ mask.swapaxes(1, 2) | np.eye(13, dtype=bool)).all()
    assert mask.diagonal(axis1=1, axis2=2).all()
    assert (np.sort(mask.sum(-1)) == np.arange(1, 14)).all()


def test_masks_are_transitive() -> None:
    mask = maskplug.pattern(DRAWN).dense(11, keys=range(20), heads=3)[:, 0].astype(int)
    assert ((mask @ mask > 0) == mask).all()


def test_the_first_token_has_an_empty_row_in_the_query_stream() -> None:
    pattern = maskplug.pattern("permutation:order=drawn")
    with pytest.warns(MaskplugWarning, match="hides every key from 1 of 7 queries"):
        mask = pattern.dense(7, keys=[2])[0, 0]
    content = maskplug.pattern(DRAWN).dense(7, keys=[2])[0, 0]
    assert (mask == (content & ~np.eye(7, dtype=bool))).all()


def test_padding_is_not_in_a_drawn_order() -> None:
    valid = [0, 0, 1, 1, 1, 1, 0]
    mask = maskplug.pattern(DRAWN).dense(7, keys=[2], valid=valid)[0, 0]
    assert mask[:, [0, 1, 6]].all()  # the pattern "padding" hides it
    assert not mask[[0, 1, 6], 2:6].any()


def test_one_token_and_no_tokens() -> None:
    assert maskplug.pattern(DRAWN).dense(1).all()
    assert maskplug.pattern("permutation").dense(1, order=[-1]).all()
    assert maskplug.pattern(DRAWN).dense(0).shape == (1, 1, 0, 0)
