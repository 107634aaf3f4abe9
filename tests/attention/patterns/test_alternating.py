"""alternating: patterns of network layers, as in ModernBERT and Gemma."""

from __future__ import annotations

from typing import Any

import pytest

import maskplug
from maskplug.attention import Alternating, Causal, Document, Full, Window
from maskplug.schedule import Linear

LOCAL = Window(left=2, right=2)


def matrix(pattern: maskplug.Pattern, **more: Any) -> Any:
    return pattern.dense(9, **more)[0, 0]


@pytest.mark.parametrize("layer_idx", range(8))
def test_layers_use_patterns_in_turn(layer_idx: int) -> None:
    members = [Full(), LOCAL, Causal()]
    seen = matrix(Alternating(tuple(members)), layer_idx=layer_idx)
    assert (seen == matrix(members[layer_idx % 3])).all()


def test_one_pattern_is_used_in_all_layers() -> None:
    for layer_idx in (0, 1, 5):
        assert (matrix(Alternating((LOCAL,)), layer_idx=layer_idx) == matrix(LOCAL)).all()


def local_layers(config: Any) -> list[bool]:
    return [kind == "sliding_attention" for kind in config.layer_types]


def test_layers_of_modernbert_and_gemma() -> None:
    transformers = pytest.importorskip("transformers")
    modernbert = Alternating((Full(), LOCAL, LOCAL))
    gemma = Alternating((LOCAL,) * 5 + (Causal(),))
    for pattern, config in (
        (modernbert, transformers.ModernBertConfig(num_hidden_layers=10)),
        (gemma, transformers.Gemma3TextConfig(num_hidden_layers=13)),
    ):
        expected = local_layers(config)
        assert True in expected
        assert False in expected
        local = matrix(LOCAL)
        ours = [bool((matrix(pattern, layer_idx=i) == local).all()) for i in range(len(expected))]
        assert ours == expected


def test_is_dynamic_if_a_member_is() -> None:
    still, moving = Alternating((Causal(), LOCAL)), Alternating((Causal(), Window(Linear(1, 5))))
    assert not still.is_dynamic
    assert moving.is_dynamic
    assert (matrix(moving, layer_idx=1, progress=1.0) == matrix(Window(5))).all()
    assert (matrix(moving, layer_idx=0, progress=1.0) == matrix(Causal())).all()


def test_members_can_be_expressions() -> None:
    result = maskplug.pattern("alternating", patterns=["full", "window:left=2,right=2 & document"])
    assert result == Alternating((Full(), LOCAL & Document()))
    assert result.spec["patterns"][0] == {"name": "full@1"}
