"""Cases of patterns that depend on positions only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from support.scenes import Case, View

SELF = ("encoder", "decoder")


def marked(rng: Generator, batch: int, queries: int, keys: int) -> dict[str, Any]:
    return {"global_tokens": rng.random((batch, keys)) < 0.3}


def prefixed(rng: Generator, batch: int, queries: int, keys: int) -> dict[str, Any]:
    return {"prefix_lengths": rng.integers(0, keys + 2, batch)}


def halved(rng: Generator, batch: int, queries: int, keys: int) -> dict[str, Any]:
    """Return rows with an even number of tokens, and random padding."""
    valid = np.zeros((batch, keys), np.bool_)
    for row in valid:
        length = 2 * int(rng.integers(keys // 4, keys // 2 + 1))
        start = int(rng.integers(0, keys - length + 1))
        row[start : start + length] = True
    return {"valid": valid}


def chunked(view: View) -> bool:
    size, shift = view.value("size"), view.value("shift")
    same: bool = (view.q - shift) // size == (view.k - shift) // size
    return same


def dilated(view: View) -> bool:
    left, right, dilation = (view.value(name) for name in ("left", "right", "dilation"))
    steps, between = divmod(view.k - view.q, dilation)
    if between:
        return False
    return (left is None or steps >= -left) and (right is None or steps <= right)


def strided(view: View) -> bool:
    between: int = (view.k - view.q) % view.value("stride")
    return between == 0


def fixed(view: View) -> bool:
    stride, summary = view.value("stride"), view.value("summary")
    same: bool = view.q // stride == view.k // stride or view.k % stride >= stride - summary
    return same


def global_tokens(view: View) -> bool:
    def chosen(token: int) -> bool:
        positions = view.options["positions"]
        if positions is None:
            return bool(view.row("global_tokens")[token + view.start])
        inside = 0 <= token < view.length
        return inside and (token in positions or token - view.length in positions)

    return chosen(view.k) or (view.scene.attention_kind != "cross" and chosen(view.q))


def prefix(view: View) -> bool:
    length = view.value("length")
    if length is None:
        length = int(view.scene.annotations["prefix_lengths"][view.sample])
    return bool(view.k < length or view.k <= view.q)


def block_diffusion(view: View) -> bool:
    block, half = view.value("block"), view.length // 2
    noisy = view.q < half
    q_block = (view.q if noisy else view.q - half) // block
    if view.k < half:
        return noisy and view.k // block == q_block
    if view.k >= 2 * half:
        return False
    k_block = (view.k - half) // block
    return bool(k_block < q_block or (k_block == q_block and not noisy))


def taking_turns(view: View) -> bool:
    if view.scene.layer_idx % 3 == 1:
        return view.k <= view.q
    return view.scene.layer_idx % 3 == 0 or view.q - 2 <= view.k <= view.q


CASES = [
    Case("chunked:size=4", chunked),
    Case("chunked:size=3,shift=7", chunked),
    Case("chunked(size=steps(values=[2, 4, 8], at=[0.2, 0.6]), shift=1)", chunked),
    Case("chunked(size=4, shift=linear(0, 5))", chunked),
    Case("chunked:size=5 & causal", lambda view: view.q // 5 == view.k // 5 and view.k <= view.q),
    Case("dilated:left=2", dilated),
    Case("dilated:left=2,right=1,dilation=3", dilated),
    Case("dilated:left=null,right=null,dilation=4", dilated),
    Case("dilated(left=linear(0, 5), right=2, dilation=1)", dilated),
    Case("dilated(left=2, right=1, dilation=linear(1, 4))", dilated),
    Case("dilated(left=null, right=linear(3, 0), dilation=steps([3, 1, 2], [0.2, 0.6]))", dilated),
    Case(
        "dilated:left=2,right=2 & dilated:left=1,right=1,dilation=3 | ~dilated:left=9",
        lambda view: (
            view.k == view.q or (view.k - view.q) % 2 != 0 or not -18 <= view.k - view.q <= 0
        ),
    ),
    Case("strided:stride=1", lambda view: True),
    Case("strided:stride=3", lambda view: (view.k - view.q) % 3 == 0),
    Case(
        "(strided:stride=4 | window:left=3) & causal",
        lambda view: 0 <= view.q - view.k < 4 or (view.q > view.k and (view.q - view.k) % 4 == 0),
    ),
    Case("strided(stride=linear(5, 1))", strided),
    Case("fixed:stride=4", fixed),
    Case("fixed:stride=3,summary=2", fixed),
    Case("fixed:stride=2,summary=2", fixed),
    Case("fixed(stride=linear(2, 7), summary=2)", fixed),
    Case("fixed(stride=linear(6, 3), summary=linear(1, 3))", fixed),
    Case("fixed(stride=4, summary=steps([4, 1, 2], [0.2, 0.6]))", fixed),
    Case("global_tokens", global_tokens),
    Case("global_tokens:positions=[0, 4, 5, -1]", global_tokens),
    Case("global_tokens:positions=[-3, 30, -40]", global_tokens),
    Case("global_tokens:positions=null", global_tokens, marked),
    Case("prefix:length=4", prefix),
    Case("prefix(length=linear(0, 9))", prefix),
    Case("prefix", prefix, prefixed),
    Case("block_diffusion:block=1", block_diffusion, halved, SELF),
    Case("block_diffusion:block=3", block_diffusion, halved, SELF),
    Case("block_diffusion(block=linear(1, 9))", block_diffusion, halved, SELF),
    Case('alternating:patterns=["full", "causal", "window:left=2"]', taking_turns),
    Case('alternating:patterns=["window:left=2"] | full', lambda view: True),
]
