"""The masks of a place: their time, what layers share, and queries that would see nothing."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import maskplug
from maskplug.attention import AttentionCall, Intervals, Pattern
from maskplug.errors import MaskplugWarning
from maskplug_fairseq.attention_masks import Call, Masks, Valid

CPU = torch.device("cpu")
EVERY = np.ones((1, 6), np.bool_)
HERE = Call(6, 6, 0, False, heads=2, depth=0, valid=EVERY)


def seen(masks: Masks, call: Call) -> Any:
    return ~masks.hidden(call, CPU).numpy()


def test_one_mask_for_all_samples_where_it_is_the_same() -> None:
    masks = Masks("encoder", maskplug.pattern("window:left=1"))
    left = np.array([[0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1]], np.bool_)
    for valid in (EVERY, left, left[:, ::-1]):
        assert masks.hidden(replace(HERE, valid=valid), CPU).shape == (1, 1, 6, 6)
    masks = Masks("encoder", maskplug.pattern("sink:n=1"))
    shapes = [masks.hidden(replace(HERE, valid=v), CPU).shape for v in (left, left[:, ::-1])]
    assert shapes == [(2, 1, 6, 6), (1, 1, 6, 6)]


def test_the_last_queries_are_those_of_the_whole() -> None:
    masks = Masks("cross", maskplug.pattern("wait_k:k=2"))
    call = replace(HERE, valid_queries=EVERY)
    whole = seen(masks, call)
    assert (seen(masks, replace(call, queries=2, offset=4)) == whole[:, :, -2:]).all()


def test_schedules_follow_the_updates() -> None:
    masks = Masks("encoder", maskplug.pattern("window:left=linear(0,5)"), updates=11)
    widths = []
    for masks.step in (0, 2, 4, 10, 99):
        widths.append(int(seen(masks, HERE)[0, 0, 5].sum()) - 1)
    assert widths == [0, 1, 2, 5, 5]


def test_draws_follow_seed_and_updates() -> None:
    pattern = maskplug.pattern("wait_k(k=1,most=6)")
    call = replace(HERE, valid_queries=EVERY)

    def drawn(seed: int) -> list[int]:
        masks, found = Masks("cross", pattern, seed), []
        for masks.step in range(12):
            found.append(int(seen(masks, call)[0, 0, 0].sum()))
        return found

    assert drawn(1) == drawn(1) != drawn(2)
    assert len(set(drawn(1))) > 2
    want = [
        maskplug.pattern("wait_k(k=1,most=6)")
        .dense(6, 6, t, seed=1, attention_kind="cross")[0, 0, 0]
        .sum()
        for t in range(12)
    ]
    assert drawn(1) == want


class Counting(Pattern):
    """A full mask that counts how often it is made, and may ask for the layer."""

    def __init__(self, asks: bool) -> None:
        self.asks = asks
        self.made = 0

    def rows(self, site: AttentionCall) -> Intervals:
        """Everything; in odd layers nothing but the first key."""
        self.made += 1
        odd = self.asks and site.layer_idx % 2
        return site.intervals((0 * site.q, 1 if odd else site.kv_len))


@pytest.mark.parametrize(("asks", "made"), [(False, 1), (True, 3)])
def test_layers_share_a_mask_unless_it_tells_them_apart(asks: bool, made: int) -> None:
    pattern = Counting(asks)
    masks = Masks("encoder", pattern)
    shown = [seen(masks, replace(HERE, depth=depth)).sum() for depth in range(3)]
    assert pattern.made == made
    assert shown == ([36, 6, 36] if asks else [36, 36, 36])


@pytest.mark.parametrize("field", ["queries", "heads", "valid", "step"])
def test_another_call_gets_another_mask(field: str) -> None:
    pattern = Counting(False)
    masks = Masks("encoder", pattern)
    seen(masks, HERE)
    other = {"queries": 5, "heads": 1, "valid": np.array([[1, 1, 1, 1, 1, 0]], np.bool_)}
    masks.step = 1 if field == "step" else 0
    seen(masks, replace(HERE, **{field: other[field]} if field in other else {}))
    assert pattern.made == 2


def test_queries_that_would_see_nothing_see_one_key_and_it_is_said_once() -> None:
    masks = Masks("encoder", maskplug.pattern("window:left=2 & ~window:left=0"))
    with pytest.warns(MaskplugWarning, match="--encoder-.*from 1 of 6.*query 0.*see themselves"):
        shown = seen(masks, HERE)[0, 0]
    assert shown[0].tolist() == [True, False, False, False, False, False]
    masks.step = 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        seen(masks, HERE)


def test_in_cross_attention_they_see_the_first_token() -> None:
    masks = Masks("cross", maskplug.pattern("window:left=1"))
    valid = np.array([[0, 0, 1, 1, 1, 1]], np.bool_)
    call = replace(HERE, queries=8, valid=valid, valid_queries=np.ones((1, 8), np.bool_))
    with pytest.warns(MaskplugWarning, match="the first token of the source"):
        shown = seen(masks, call)[0, 0]
    assert [row.nonzero()[0].tolist() for row in shown[3:]] == [[4, 5], [5], [2], [2], [2]]


def test_what_only_padding_is_left_of_counts_as_nothing() -> None:
    masks = Masks("encoder", maskplug.pattern("window:left=0,right=1 & ~window:left=0"))
    valid = np.array([[1, 1, 1, 1, 0, 0]], np.bool_)
    with pytest.warns(MaskplugWarning, match="from 1 of 6 queries.*query 3"):
        shown = seen(masks, replace(HERE, valid=valid))[0, 0]
    assert shown[3, 3]


def test_padding_is_silent() -> None:
    masks = Masks("decoder", maskplug.pattern("window:left=1"))
    valid = np.array([[0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0]], np.bool_)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shown = seen(masks, replace(HERE, valid=valid, causal=True))
    assert (shown[0, 0] == maskplug.pattern("window:left=1").dense(6)[0, 0]).all()


def test_padding_is_read_once() -> None:
    read = Valid()
    padding = torch.tensor([[True, False, False]])
    first = read(padding, 3)
    assert read(padding, 3) is first
    assert read(padding.clone(), 3) is not first
    padding[0, 1] = True
    assert read(padding, 3).tolist() == [[False, False, True]]
    with torch.inference_mode():
        assert read(torch.tensor([[True, False]]), 2).tolist() == [[False, True]]
    assert read(None, 2).tolist() == [[True, True]]
    assert read(torch.zeros(4, 2, dtype=torch.bool), 2).shape == (1, 2)
