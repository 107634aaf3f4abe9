"""Properties of all patterns: arguments, empty rows, M(t)."""

from __future__ import annotations

import subprocess
import sys
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug.attention import AttentionCall, Causal, Intervals, Pattern, Window


def test_a_growing_window_is_nested_in_time() -> None:
    grows = maskplug.pattern("window(left=linear(2, 8))")
    start, middle, end = (grows.dense(12, progress=p)[0, 0] for p in (0.0, 0.5, 1.0))
    for mask, left in ((start, 2), (middle, 5), (end, 8)):
        assert (mask == Window(left).dense(12)[0, 0]).all()
    assert (start <= middle).all()
    assert (middle <= end).all()
    assert grows.is_dynamic
    assert not maskplug.pattern("window:left=2 & document").is_dynamic


def test_samples_can_be_at_different_times() -> None:
    grows = maskplug.pattern("window(left=linear(0, 3))")
    result = grows.dense(4, progress=np.array([0.0, 1.0]), keys=[1, 2])
    assert (result[0] == Window(0).dense(4)[0]).all()
    assert (result[1] == Window(3).dense(4)[0]).all()


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


def test_additive_takes_floating_types_only() -> None:
    with pytest.raises(maskplug.OptionError, match="dtype is 'int32'; it must be a floating type"):
        Causal().additive(2, dtype="int32")


def test_annotations_of_members_are_required() -> None:
    result = maskplug.pattern("causal & (document | ~padding)")
    assert result.all_required_annotations == ("documents", "valid")


def test_unregistered_patterns() -> None:
    @dataclass(frozen=True)
    class Diagonal(Pattern):
        def rows(self, call: AttentionCall) -> Intervals:
            return call.intervals((call.q, call.q + 1))

    result = (Diagonal() | maskplug.pattern("sink:n=1")).dense(3)
    assert result[0, 0].astype(int).tolist() == [[1, 0, 0], [1, 1, 0], [1, 0, 1]]


def test_masks_do_not_use_global_random_state() -> None:
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    maskplug.pattern("window:left=2 & causal").dense(9)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


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
