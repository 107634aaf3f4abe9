"""The masks of attention calls: schedules, sharing between layers, queries without keys."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch

import maskplug
from maskplug.attention import AttentionCall, Intervals, Pattern
from maskplug.errors import MaskplugWarning
from maskplug_fairseq.attention import Masks, ModuleCall, PaddingReader

CPU = torch.device("cpu")
NO_PADDING = np.ones((1, 6), np.bool_)
CALL = ModuleCall(6, 6, 0, False, heads=2, layer_idx=0)


def masks_of(kind: Any, text: str, *args: Any, **kwargs: Any) -> Masks:
    return Masks(kind, maskplug.pattern(text), *args, **kwargs)


def hidden(masks: Masks, valid: Any = NO_PADDING, **changes: Any) -> torch.Tensor:
    """Return the mask of a call with 6 keys; ``changes`` are arguments of the call."""
    annotations = {"valid": np.atleast_2d(np.array(valid, np.bool_))}
    call = CALL._replace(**changes)
    if masks.attention_kind == "cross":
        annotations["valid_queries"] = np.ones((1, call.offset + call.q_len), np.bool_)
    return masks.hidden(call, annotations, CPU)


def visible(masks: Masks, *args: Any, **changes: Any) -> Any:
    return ~hidden(masks, *args, **changes).numpy()


def test_samples_with_equal_masks_share_one() -> None:
    left = np.array([[0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1]], np.bool_)
    masks = masks_of("encoder", "window:left=1")
    for valid in (NO_PADDING, left, left[:, ::-1]):
        assert hidden(masks, valid).shape == (1, 1, 6, 6)
    masks = masks_of("encoder", "sink:n=1")
    shapes = [hidden(masks, valid).shape for valid in (left, left[:, ::-1])]
    assert shapes == [(2, 1, 6, 6), (1, 1, 6, 6)]


def test_later_queries_have_the_masks_of_the_whole_target() -> None:
    masks = masks_of("cross", "wait_k:k=2")
    whole = visible(masks)
    last = visible(masks, q_len=2, offset=4)
    assert (last == whole[:, :, -2:]).all()


def test_schedules_follow_updates() -> None:
    masks = masks_of("encoder", "window:left=linear(0,5)", updates=11)
    widths = []
    for masks.step in (0, 2, 4, 10, 99):
        widths.append(int(visible(masks)[0, 0, 5].sum()) - 1)
    assert widths == [0, 1, 2, 5, 5]


def test_random_patterns_depend_on_seed_and_update() -> None:
    text = "wait_k(k=1,most=6)"

    def drawn(seed: int) -> list[int]:
        masks, counts = masks_of("cross", text, seed), []
        for masks.step in range(12):
            counts.append(int(visible(masks)[0, 0, 0].sum()))
        return counts

    assert drawn(1) == drawn(1) != drawn(2)
    assert len(set(drawn(1))) > 2
    dense = maskplug.pattern(text).dense
    assert drawn(1) == [
        dense(6, 6, t, seed=1, attention_kind="cross")[0, 0, 0].sum() for t in range(12)
    ]


class Counting(Pattern):
    """A full mask that counts its calls and may read the layer."""

    def __init__(self, reads_layer: bool) -> None:
        self.reads_layer_idx = reads_layer
        self.calls = 0

    def rows(self, call: AttentionCall) -> Intervals:
        """Return all keys; in odd layers only the first one."""
        self.calls += 1
        odd = self.reads_layer_idx and call.layer_idx % 2
        return call.intervals((0 * call.q, 1 if odd else call.kv_len))


@pytest.mark.parametrize(("reads_layer", "calls"), [(False, 1), (True, 3)])
def test_layers_share_a_mask_unless_it_depends_on_the_layer(reads_layer: bool, calls: int) -> None:
    pattern = Counting(reads_layer)
    masks = Masks("encoder", pattern)
    sums = [visible(masks, layer_idx=layer_idx).sum() for layer_idx in range(3)]
    assert pattern.calls == calls
    assert sums == ([36, 6, 36] if reads_layer else [36, 36, 36])


@pytest.mark.parametrize(
    ("step", "changes"),
    [(0, {"q_len": 5}), (0, {"heads": 1}), (0, {"valid": [1, 1, 1, 1, 1, 0]}), (1, {})],
    ids=["q_len", "heads", "annotations", "step"],
)
def test_other_calls_get_other_masks(step: int, changes: dict[str, Any]) -> None:
    pattern = Counting(False)
    masks = Masks("encoder", pattern)
    visible(masks)
    masks.step = step
    visible(masks, **changes)
    assert pattern.calls == 2


def test_queries_without_keys_see_themselves_with_one_warning() -> None:
    masks = masks_of("encoder", "window:left=2 & ~window:left=0")
    with pytest.warns(MaskplugWarning, match="--encoder-.*from 1 of 6.*query 0.*see themselves"):
        mask = visible(masks)[0, 0]
    assert mask[0].tolist() == [True, False, False, False, False, False]
    masks.step = 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        visible(masks)


def test_cross_queries_without_keys_see_the_first_token() -> None:
    masks = masks_of("cross", "window:left=1")
    with pytest.warns(MaskplugWarning, match="the first token of the source"):
        mask = visible(masks, [0, 0, 1, 1, 1, 1], q_len=8)[0, 0]
    assert [row.nonzero()[0].tolist() for row in mask[3:]] == [[4, 5], [5], [2], [2], [2]]


def test_queries_that_see_only_padding_see_themselves() -> None:
    masks = masks_of("encoder", "window:left=0,right=1 & ~window:left=0")
    with pytest.warns(MaskplugWarning, match="from 1 of 6 queries.*query 3"):
        assert visible(masks, [1, 1, 1, 1, 0, 0])[0, 0, 3, 3]


def test_padding_causes_no_warning() -> None:
    valid = [[0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mask = visible(masks_of("decoder", "window:left=1"), valid, causal=True)
    assert (mask[0, 0] == maskplug.pattern("window:left=1").dense(6)[0, 0]).all()


def test_padding_is_converted_once() -> None:
    read = PaddingReader()
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
