"""Tests of the strategy ``ul2``."""

from __future__ import annotations

from typing import Any

import pytest

import maskplug
from maskplug.errors import OptionError
from maskplug.selectors import MeanSpans, Suffix
from support.batches import equal_rows
from support.t5_rows import VOCAB


def modes_of(masked: maskplug.Masked) -> Any:
    return masked.inputs.values[masked.inputs.offsets[:-1]]


def test_denoisers_are_those_of_the_paper() -> None:
    strategy: Any = maskplug.strategy("ul2")
    assert strategy.weights == (1.0,) * 7
    assert [(member.token, member.strategy.selector) for member in strategy.strategies] == [
        ("[R]", MeanSpans(0.15, 3.0)),
        ("[R]", MeanSpans(0.15, 8.0)),
        ("[S]", Suffix(0.25)),
        ("[X]", MeanSpans(0.5, 3.0)),
        ("[X]", MeanSpans(0.5, 8.0)),
        ("[X]", MeanSpans(0.15, 64.0)),
        ("[X]", MeanSpans(0.5, 64.0)),
    ]


def test_modes_do_not_change_the_masks() -> None:
    tokens = equal_rows(200, 40)
    plain = maskplug.strategy("ul2", modes=None)(tokens, VOCAB, seed=1)
    with_modes = maskplug.strategy("ul2")(tokens, VOCAB, seed=1)
    assert plain.targets.to_lists() == with_modes.targets.to_lists()
    assert plain.inputs.to_lists() == [row[1:] for row in with_modes.inputs.to_lists()]


def test_other_modes_and_denoisers() -> None:
    tokens = equal_rows(300, 20)
    named = maskplug.strategy("ul2", modes=["<mask_1>", "[S]", 67])
    assert set(modes_of(named(tokens, VOCAB)).tolist()) == {66, 61, 67}
    custom = maskplug.strategy(
        "ul2", denoisers=["t5", {"name": "prefix_lm", "rate": 0.1}], modes=["[X]", "[S]"]
    )
    assert set(modes_of(custom(tokens, VOCAB)).tolist()) == {61, 62}
    assert maskplug.strategy(custom.spec).fingerprint == custom.fingerprint


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"modes": ["[R]", "[S]"]}, r"'modes' is \['\[R\]', '\[S\]'\]; three tokens are needed"),
        ({"denoisers": ["t5"]}, "'modes' has 3 tokens for 1 denoisers: give one each, or null"),
        ({"weights": [1, 2]}, "'weights' has 2 values for 7 strategies"),
        ({"denoisers": [], "modes": []}, "'denoisers' is empty"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        maskplug.strategy("ul2", **options)
