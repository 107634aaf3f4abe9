"""Cases of patterns for cross attention."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from numpy.random import Generator

import maskplug
from support import reference as ref
from support.scenes import Case, DrawAnnotations, View, valid_rows


def query_row(view: View, name: str = "valid_queries") -> list[int]:
    """Return the values of the queries' annotation; all are real tokens by default."""
    return (
        view.row(name)
        if name in view.scene.annotations
        else [1] * (view.scene.offset + view.scene.q_len)
    )


def real_queries(view: View) -> tuple[int, int]:
    """Return the first real query, and the number of queries up to the last."""
    places = [place for place, real in enumerate(query_row(view)) if real]
    return places[0], places[-1] + 1 - places[0]


def wait_k(view: View) -> bool:
    k, q = view.value("k"), max(view.q, 0)
    most = view.value("most")
    if most is not None:
        t = {"step": view.scene.t, "epoch": 0, "never": 0}[
            type(view.options["clock"]).__name__.lower()
        ]
        sample = ref.Sample(view.scene.seed, t, view.scene.keys[view.sample])
        k += ref.below(sample.words("wait", 1)[0], max(most, k) - k + 1)
    change = view.share("catchup") * (q + 1)
    change = math.floor(change) if change > 0 else math.ceil(change)
    return 0 <= view.k < min(k + q - change, view.length)


def padded(rng: Generator, batch: int, queries: int, keys: int) -> dict[str, Any]:
    return {
        "valid": valid_rows(rng, batch, keys),
        "valid_queries": valid_rows(rng, batch, queries),
    }


def reading(rng: Generator, batch: int, queries: int, keys: int) -> dict[str, Any]:
    annotations = padded(rng, batch, queries, keys)
    read = rng.integers(-9, 99, (batch, queries))  # padding may hold anything
    for row, source, target in zip(
        read, annotations["valid"], annotations["valid_queries"], strict=True
    ):
        row[target] = rng.integers(0, source.sum() + 1, target.sum())
    return {**annotations, "sources_read": read}


def monotonic(view: View) -> bool:
    first, _ = real_queries(view)
    row, real = view.row("sources_read"), query_row(view)
    so_far = [row[i] for i in range(first + view.q + 1) if real[i]]
    end = min(max([1, *so_far]), view.length)
    lookback = view.value("lookback")
    return max(0, end - lookback if lookback else 0) <= view.k < end


def linking(share: float, arrays: bool = False) -> DrawAnnotations:
    """Return a function that draws links for about this share of the target tokens."""

    def annotations(rng: Generator, batch: int, queries: int, keys: int) -> dict[str, Any]:
        padding = padded(rng, batch, queries, keys)
        links = []
        for source, target in zip(padding["valid"], padding["valid_queries"], strict=True):
            number = int(rng.poisson(share * target.sum()))
            sides = (max(int(side.sum()), 1) for side in (source, target))
            ends = (rng.integers(0, size, number).tolist() for size in sides)
            links.append(list(zip(*ends, strict=True)))
        most = max(map(len, links))
        filled = [row + [(-1, -1)] * (most - len(row)) for row in links]
        return {**padding, "links": filled if arrays else links}

    return annotations


def aligned(view: View) -> bool:
    sources: dict[int, list[int]] = {}
    for source, target in view.scene.annotations["links"][view.sample]:
        if source >= 0:
            sources.setdefault(target, []).append(source)
    q = view.q
    if view.options["fallback"] == "nearest" and sources:
        before = [target for target in sources if target <= q]
        q = max(before) if before else min(sources)
    inside = 0 <= view.k < view.length
    radius = view.value("radius")
    return inside and (q not in sources or any(abs(view.k - s) <= radius for s in sources[q]))


CROSS = ("cross",)
NEAREST = maskplug.pattern("aligned(radius=linear(3, 0), fallback=nearest)")
CASES = [
    Case("wait_k:k=1", wait_k, padded, CROSS),
    Case("wait_k(k=linear(1, 6))", wait_k, padded, CROSS),
    Case("wait_k:k=5,catchup=0.3", wait_k, padded, CROSS),
    Case("wait_k:k=2,catchup=-0.4", wait_k, padded, CROSS),
    Case("wait_k:k=1,most=9", wait_k, padded, CROSS),
    Case("wait_k(k=linear(3, 1), most=4, clock=epoch)", wait_k, padded, CROSS),
    Case("wait_k(k=2, most=linear(9, 2))", wait_k, padded, CROSS),
    Case("wait_k(k=linear(6, 1), most=steps([7, 3, 8], [0.2, 0.6]))", wait_k, padded, CROSS),
    Case("wait_k(k=3, catchup=linear(-0.8, 0.7))", wait_k, padded, CROSS),
    Case("monotonic", monotonic, reading, CROSS),
    Case("monotonic:lookback=2", monotonic, reading, CROSS),
    Case("monotonic(lookback=linear(4, 1))", monotonic, reading, CROSS),
    Case("aligned", aligned, linking(0.7), CROSS),
    Case("aligned:radius=2", aligned, linking(1.5, arrays=True), CROSS),
    Case('aligned:fallback="nearest"', aligned, linking(0.4), CROSS),
    Case(
        "aligned(radius=linear(3, 0), fallback=nearest) & padding",
        lambda view: (
            aligned(replace(view, options=vars(NEAREST)))
            and bool(view.row("valid")[view.k + view.start])
        ),
        linking(0.4),
        CROSS,
    ),
]
