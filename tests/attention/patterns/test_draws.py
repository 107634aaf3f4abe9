"""Properties of all random patterns."""

from __future__ import annotations

from typing import Any

import pytest

import maskplug

#: Every pattern that draws, with the clock "step".
PATTERNS = [
    "unilm:mode=mixture",
    "permutation:order=drawn,stream=content",
    "random:rate=0.5",
    "random:rate=0.5,per_head=true,per_layer=true",
    "bigbird:block=2,random=2,clock=step",
]
SEGMENTS = [0] * 12 + [1] * 12
LENGTH = 24

each = pytest.mark.parametrize("text", PATTERNS)


def many(text: str, **more: Any) -> Any:
    """The masks of 40 samples at t = 3: bool of shape (40, 1, 24, 24)."""
    arguments = {"t": 3, "seed": 5, "keys": range(40), "segments": SEGMENTS, **more}
    return maskplug.pattern(text).dense(LENGTH, **arguments)


@each
def test_clock_sets_the_time(text: str) -> None:
    def at(clock: str, **context: int) -> Any:
        name, options = text.split(":")
        rest = [option for option in options.split(",") if not option.startswith("clock")]
        return many(f"{name}:{','.join([*rest, f'clock={clock}'])}", **context)

    by_step = at("step", t=2)
    assert (at("every(2, step)", t=5) == by_step).all()
    assert (at("epoch", t=9, epoch=2) == by_step).all()
    assert (at("never", t=9, epoch=4) == at("step", t=0)).all()
    assert (at("never", t=9) != by_step).any()


@pytest.mark.parametrize(
    ("text", "is_dynamic"),
    [
        ("unilm:mode=mixture", True),
        ("unilm:mode=mixture,clock=never", False),
        ("unilm", False),
        ("unilm:mode=left_to_right", False),
        ("permutation:order=drawn", True),
        ("permutation:order=drawn,clock=never", False),
        ("permutation", False),
        ("random", True),
        ("random:clock=never", False),
        ("bigbird", False),
        ("bigbird:clock=step", True),
        ("wait_k:k=3", False),
        ("wait_k:k=3,most=5", True),
        ("wait_k:k=3,most=5,clock=step", True),
        ("wait_k:k=3,most=5,clock=never", False),
        ("window:left=2 & document", False),
        ("window(left=linear(1, 5))", True),
        ("alternating([causal, window(left=2)])", False),
        ("alternating([causal, window(left=linear(1, 5))])", True),
    ],
)
def test_is_dynamic(text: str, is_dynamic: bool) -> None:
    assert maskplug.pattern(text).is_dynamic is is_dynamic
