"""Cases of basic patterns and of combinations."""

from __future__ import annotations

from typing import Any

from numpy.random import Generator

from support.scenes import Case, View, valid_rows


def padded(rng: Generator, batch: int, queries: int, keys: int) -> dict[str, Any]:
    return {"valid": rng.random((batch, keys)) < 0.7}


def packed(rng: Generator, batch: int, queries: int, keys: int) -> dict[str, Any]:
    return {
        "documents": rng.integers(0, 3, (batch, keys)),
        "query_documents": rng.integers(0, 4, (batch, queries)),
        "valid": valid_rows(rng, batch, keys),
    }


def document(view: View) -> bool:
    keys = view.row("documents")
    cross = view.scene.attention_kind == "cross"
    queries = view.row("query_documents") if cross else keys
    first = 0
    if cross and "valid_queries" in view.scene.annotations:
        first = view.row("valid_queries").index(1)
    return queries[view.q + (first if cross else view.start)] == keys[view.k + view.start]


def window(view: View) -> bool:
    left, right = view.value("left"), view.value("right")
    before = left is None or view.k >= view.q - left
    return before and (right is None or view.k <= view.q + right)


def sink(view: View) -> bool:
    return 0 <= view.k < int(view.value("n"))


CASES = [
    Case("full", lambda view: True),
    Case("causal", lambda view: view.k <= view.q),
    Case("padding", lambda view: bool(view.row("valid")[view.k + view.start]), padded),
    Case("window:left=3", window),
    Case("window:left=null,right=2", window),
    Case("window(left=linear(0, 6), right=1)", window),
    Case("window(left=null, right=linear(5, 0))", window),
    Case("sink:n=3", sink),
    Case("sink(n=linear(1, 6))", sink),
    Case("document", document, packed),
    Case("~window:left=2", lambda view: not view.q - 2 <= view.k <= view.q),
    Case("~padding", lambda view: not view.row("valid")[view.k + view.start], padded),
    Case(
        "causal & document & ~window:left=0",
        lambda view: view.k < view.q and document(view),
        packed,
        places=("encoder", "decoder"),
    ),
    Case(
        "document & padding | causal & window:left=1,right=1 | ~causal & ~window:left=0,right=4",
        lambda view: (
            (document(view) and bool(view.row("valid")[view.k + view.start]))
            or view.q - 1 <= view.k <= view.q
            or view.k > view.q + 4
        ),
        packed,
    ),
]
