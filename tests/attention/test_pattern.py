"""Properties of all patterns: arguments, empty rows, M(t)."""

from __future__ import annotations

import subprocess
import sys
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

import maskplug
from maskplug.attention import Alternating, AttentionCall, Intervals, Pattern


def test_empty_rows_are_reported_and_stay_empty() -> None:
    nothing = ~maskplug.pattern("causal")
    with pytest.warns(maskplug.MaskplugWarning, match=r"1 of 3 queries \(first: sample 0, query 2"):
        result = nothing.dense(3)
    assert result[0, 0].sum(-1).tolist() == [2, 1, 0]


def test_empty_rows_of_padding_are_not_reported() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = maskplug.pattern("causal & padding").dense(3, valid=[[0, 1, 1]])
    assert result[0, 0].sum(-1).tolist() == [0, 1, 2]


@pytest.mark.parametrize(("fallback", "column"), [("self", 2), ("first", 0)])
def test_fallbacks(fallback: Any, column: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = (~maskplug.pattern("causal")).dense(3, fallback=fallback)
    assert np.flatnonzero(result[0, 0, 2]).tolist() == [column]


def test_fallback_first_is_the_first_real_token() -> None:
    result = (~maskplug.pattern("causal")).dense(3, fallback="first", valid=[[0, 1, 1]])
    assert np.flatnonzero(result[0, 0, 2]).tolist() == [1]


@pytest.mark.parametrize("text", ["wait_k:k=1,most=4", "monotonic", "aligned:fallback=nearest"])
def test_cross_attention_without_source_tokens(text: str) -> None:
    pattern = maskplug.pattern(text)
    more: dict[str, Any] = {"attention_kind": "cross", "sources_read": [0, 0], "links": [[]]}
    with pytest.warns(maskplug.MaskplugWarning, match="hides every key from 2 of 2"):
        assert pattern.dense(2, 0, **more).shape == (1, 1, 2, 0)
    filled = pattern.dense(2, 3, valid=[[0, 0, 0]], fallback="first", **more)
    assert filled[0, 0].astype(int).tolist() == [[1, 0, 0], [1, 0, 0]]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"fallback": "error"}, "hides every key from 1 of 3 queries"),
        ({"fallback": "slf"}, "fallback is 'slf'; choices: 'self', 'first', 'error'"),
        (
            {"fallback": "self", "attention_kind": "cross"},
            "fallback='self' is not possible in cross attention",
        ),
        ({"seed": -1, "keys": [-1]}, "sample key -1 is out of range"),
        (
            {"keys": [1, 2, 3], "valid": [[1, 1, 1]] * 2},
            "expected one key per sample, got 3 keys for 2 samples",
        ),
        ({"t": 0.5}, "step is 0.5; it must be a whole number"),
    ],
)
def test_wrong_arguments(more: dict[str, Any], message: str) -> None:
    with pytest.raises(maskplug.MaskplugError, match=message):
        (~maskplug.pattern("causal")).dense(3, **more)


@pytest.mark.parametrize(
    "dtype", [np.float16, "float32", np.float64, torch.bfloat16, torch.float32]
)
def test_additive_masks(dtype: Any) -> None:
    pattern = maskplug.pattern("window:left=1")
    added, dense = pattern.additive(5, dtype=dtype), pattern.dense(5)
    smallest = (torch if isinstance(dtype, torch.dtype) else np).finfo(dtype).min
    assert added.dtype == dtype
    assert added.shape == dense.shape
    assert (added[dense] == 0).all()
    assert (added[~dense] == smallest).all()


@pytest.mark.parametrize("dtype", ["int32", torch.int64])
def test_additive_masks_are_floating(dtype: Any) -> None:
    with pytest.raises(maskplug.OptionError, match=r"dtype is .*int.*; it must be a floating type"):
        maskplug.pattern("causal").additive(2, dtype=dtype)


def test_building_a_pattern_imports_no_framework() -> None:
    code = (
        "import sys, maskplug; str(maskplug.pattern('window:left=2 & document')); "
        "print(*{'numba', 'torch', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@dataclass(frozen=True)
class ReadsLayer(Pattern):
    """A pattern that reads the layer index; subclasses declare it or not."""

    def rows(self, call: AttentionCall) -> Intervals:
        return call.intervals((np.zeros_like(call.q), call.q + 1 + call.layer_idx))


class Declared(ReadsLayer):
    reads_layer_idx = True


def test_undeclared_layer_idx_is_always_zero() -> None:
    first, third = (ReadsLayer().dense(5, layer_idx=i) for i in (0, 3))
    assert (first == third).all()
    assert (first & maskplug.pattern("full").dense(5) == first).all()
    declared = Declared() & maskplug.pattern("full")
    assert (declared.dense(5, layer_idx=3) != first).any()


def test_a_member_reads_the_layer_only_if_it_declares_it() -> None:
    expected = ReadsLayer().dense(5)
    hidden = Alternating((~maskplug.pattern("full"), maskplug.pattern("causal")))
    for combined in (
        ReadsLayer() | hidden,
        ~(~ReadsLayer() & ~hidden),
        Alternating((ReadsLayer(), hidden)),
    ):
        assert combined.uses_layer_idx
        # In layer 2 ``hidden`` hides everything, and ``Alternating`` uses its first member.
        assert (combined.dense(5, layer_idx=2) == expected).all()
