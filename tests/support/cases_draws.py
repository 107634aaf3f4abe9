"""Cases of patterns that need annotations of the text, and of random patterns."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.random import Generator

from support import reference_attention as ref
from support.reference import Sample
from support.scenes import Case, View, valid_rows

SELF = ("encoder", "decoder")
MODES = ("bidirectional", "seq2seq", "left_to_right", "right_to_left")


def text(rng: Generator, batch: int, queries: int, keys: int) -> dict[str, Any]:
    annotations: dict[str, Any] = {
        "sentence_starts": rng.random((batch, keys)) < 0.3,
        "section_starts": (rng.random((batch, keys)) < 0.15).astype(int),
    }
    return annotations | ({"valid": valid_rows(rng, batch, keys)} if rng.random() < 0.7 else {})


def segments(rng: Generator, batch: int, queries: int, keys: int) -> dict[str, Any]:
    """Return source and target, often contiguous, sometimes mixed."""
    source = rng.integers(0, keys + 1, (batch, 1))
    rows = np.arange(keys) >= source
    mixed = rng.random((batch, keys)) < 0.5
    return {"segments": np.where(rng.random((batch, 1)) < 0.5, rows, mixed).astype(np.int32)}


def order(rng: Generator, batch: int, queries: int, keys: int) -> dict[str, Any]:
    rows = np.full((batch, keys), -1)
    for row in rows:
        predicted = np.flatnonzero(rng.random(keys) < rng.random())
        row[predicted] = rng.permutation(len(predicted))
    return {"order": rows}


def starts(view: View, annotation: str) -> list[int]:
    """Return the starts in the sample's own positions."""
    marks = view.row(annotation)[view.start :][: view.length]
    return [i for i, begins in enumerate(marks) if begins or i == 0]


def number(view: View, position: int, begins: list[int]) -> int:
    """Return the run of a position; padding on the left is run 0, on the right the last run."""
    return sum(begin <= position for begin in [*begins, view.length])


def sentence(view: View) -> bool:
    begins = starts(view, "sentence_starts")
    same_run = number(view, view.q, begins) == number(view, view.k, begins)
    return same_run or (view.options["heads"] and view.k in starts(view, "section_starts"))


def section(view: View) -> bool:
    begins = starts(view, "section_starts")
    same_run = number(view, view.q, begins) == number(view, view.k, begins)
    return same_run or (view.options["heads"] and view.k in begins)


def sample(view: View) -> Sample:
    """Return the sample at the time of the pattern's clock."""
    clock, where = view.options["clock"], view.scene
    t = int(clock(np.array([0]), np.array([where.t]))[0])
    return Sample(where.seed, t, where.keys[view.sample])


def unilm(view: View) -> bool:
    mode = view.options["mode"]
    if mode == "mixture":
        shares = view.options["shares"]
        mode = MODES[ref.mode(sample(view), view.scene.attention_kind, shares)]
    if mode == "seq2seq":
        segment = view.row("segments")
        target = segment[view.q + view.start] == 1 and view.k <= view.q
        return segment[view.k + view.start] == 0 or target
    return {
        "bidirectional": True,
        "left_to_right": view.k <= view.q,
        "right_to_left": view.k >= view.q,
    }[mode]


def permutation(view: View) -> bool:
    if view.options["order"] == "layer":
        ranks = view.row("order")
    else:
        drawn = ref.order(sample(view), view.scene.attention_kind, view.length)
        ranks = [-1] * view.start + drawn + [-1] * (view.scene.kv_len - view.start - view.length)
    query, key = ranks[view.q + view.start], ranks[view.k + view.start]
    itself = view.options["stream"] == "content" and view.q == view.k
    return key < 0 or key < query or itself


def random(view: View) -> bool:
    rate = view.share("rate")
    if not 0 <= view.k < view.length:
        return True
    layer = view.scene.layer_idx if view.options["per_layer"] else None
    head = view.head if view.options["per_head"] else 0
    attention_kind = view.scene.attention_kind
    return not ref.hidden_keys(sample(view), attention_kind, layer, head, view.length, rate)[view.k]


def bigbird(view: View) -> bool:
    if not 0 <= view.k < view.length:
        return False
    size, ends = view.value("block"), view.value("global_blocks")
    window = 2 * math.floor(view.share("window") / 2) + 1
    wanted, most = view.value("random"), view.options["random"]
    most = most if isinstance(most, int) else int(most.bounds[1])
    blocks = -(-view.length // size)
    q = min(max(view.q, 0), view.length - 1) // size
    k = view.k // size
    middle = range(ends, blocks - ends)
    if q not in middle or k not in middle or abs(q - k) <= window // 2:
        return True
    head = view.head if view.options["per_head"] else 0
    attention_kind, layer = view.scene.attention_kind, view.scene.layer_idx
    numbers = (head, blocks, most, wanted, window, ends)
    return k in ref.further_blocks(sample(view), attention_kind, layer, *numbers)[q]


CASES = [
    Case("sentence", sentence, text, places=SELF),
    Case("sentence:heads=true", sentence, text, places=SELF),
    Case("section", section, text, places=SELF),
    Case("section:heads=false", section, text, places=SELF),
    Case("unilm", unilm, segments, places=SELF),
    Case("unilm:mode=left_to_right", unilm, places=SELF),
    Case("unilm:mode=right_to_left", unilm, places=SELF),
    Case("unilm:mode=bidirectional", unilm, places=SELF),
    Case("unilm:mode=mixture", unilm, segments, places=SELF),
    Case("unilm:mode=mixture,shares=[0, 1, 3, 0],clock=never", unilm, segments, places=SELF),
    Case("permutation", permutation, order, places=SELF),
    Case("permutation:stream=content", permutation, order, places=SELF),
    Case("permutation:order=drawn", permutation, places=SELF),
    Case("permutation:order=drawn,stream=content,clock=never", permutation, places=SELF),
    Case("random", random),
    Case("random:rate=0.8", random),
    Case("random:rate=0.5,per_head=true,per_layer=true,clock=never", random),
    Case("random(rate=linear(0, 1), clock=every(2, step), per_head=true)", random),
    Case("bigbird", bigbird, places=SELF),
    Case("bigbird:block=2,random=1", bigbird, places=SELF),
    Case("bigbird:block=1,window=1,random=20,per_head=false", bigbird, places=SELF),
    Case(
        "bigbird(block=1, global_blocks=0, random=linear(0, 4), clock=step)", bigbird, places=SELF
    ),
    Case("bigbird:block=2,window=5,global_blocks=2", bigbird, places=SELF),
    Case("bigbird(block=linear(1, 4), random=1, clock=step)", bigbird, places=SELF),
    Case(
        "bigbird(block=1, window=linear(1, 7.8), global_blocks=linear(2, 0), random=linear(2, 1))",
        bigbird,
        places=SELF,
    ),
]
