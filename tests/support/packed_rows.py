"""Packed rows with several documents of a case, and the same documents one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator

from maskplug.types import BoolArray, IntArray
from support.scenes import Case

#: Annotations with one value per query in cross attention.
OF_QUERIES = ("valid_queries", "sources_read")


@dataclass(frozen=True)
class Text:
    """One document.

    Attributes:
        row: its row of the batch.
        keys, queries: positions of its tokens in the row.
        sample_key: the key for random numbers.
        annotations: those of its case for one sample.
    """

    row: int
    keys: IntArray
    queries: IntArray
    sample_key: int
    annotations: dict[str, Any]

    def real(self, name: str) -> BoolArray:
        side = self.queries if name == "valid_queries" else self.keys
        return np.asarray(self.annotations.get(name, np.ones((1, len(side)), np.bool_)))[0].astype(
            bool
        )


@dataclass(frozen=True)
class Rows:
    """Documents in rows, and the arguments of patterns for both."""

    texts: list[Text]
    keys: int
    queries: int
    attention_kind: str
    common: dict[str, Any]
    annotations: dict[str, Any]

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments for the packed rows."""
        return self._sizes(self.queries, self.keys) | self.common | self.annotations

    def alone(self, text: Text) -> dict[str, Any]:
        """Return the arguments for one document."""
        sizes = self._sizes(len(text.queries), len(text.keys))
        return sizes | self.common | {"keys": [text.sample_key]} | text.annotations

    def _sizes(self, queries: int, keys: int) -> dict[str, Any]:
        return {"q_len": queries, "kv_len": keys, "attention_kind": self.attention_kind}


def rows(case: Case, rng: Generator, together: bool = True) -> Rows:
    """Return a random batch of packed rows.

    Args:
        case: draws the annotations of each document.
        rng: the generator.
        together: whether the tokens of a document are contiguous.
    """
    attention_kind = str(rng.choice(case.places))
    cross, batch = attention_kind == "cross", int(rng.integers(1, 3))
    drawn: list[list[tuple[int, int, dict[str, Any]]]] = []
    for _ in range(batch):
        sizes = [rng.integers(2, 12, 2) for _ in range(int(rng.integers(1, 5)))]
        pairs = [(int(keys), int(other if cross else keys)) for keys, other in sizes]
        drawn.append([(k, q, case.annotations(rng, 1, q, k)) for k, q in pairs])
    margins = rng.integers(0, 3, (batch, 4))
    widths = [
        max(
            sum(text[side] for text in row) + int(of[2 * side : 2 * side + 2].sum())
            for row, of in zip(drawn, margins, strict=True)
        )
        for side in (0, 1 if cross else 0)
    ]
    texts: list[Text] = []
    for row, (parts, of) in enumerate(zip(drawn, margins, strict=True)):
        places = [
            _places([text[side] for text in parts], int(of[2 * side]), rng, together)
            for side in ((0, 1) if cross else (0,))
        ]
        for i, (_, _, columns) in enumerate(parts):
            texts.append(
                Text(row, places[0][i], places[-1][i], int(rng.integers(0, 2**62)), columns)
            )
    common = {
        "t": int(rng.integers(0, 5)),
        "progress": float(rng.choice([0.0, 0.3, 1.0])),
        "seed": int(rng.integers(0, 9)),
        "heads": int(rng.integers(1, 3)),
        "layer_idx": int(rng.integers(0, 3)),
    }
    annotations = _annotations(texts, batch, widths, cross)
    return Rows(texts, widths[0], widths[-1], attention_kind, common, annotations)


def _places(sizes: list[int], start: int, rng: Generator, together: bool) -> list[IntArray]:
    owner = np.repeat(np.arange(len(sizes)), sizes)
    owner = owner if together else rng.permutation(owner)
    return [np.flatnonzero(owner == i) + start for i in range(len(sizes))]


def _annotations(texts: list[Text], batch: int, widths: list[int], cross: bool) -> dict[str, Any]:
    """Return the annotations of the rows; padding has the document -1."""
    out: dict[str, Any] = {"documents": np.full((batch, widths[0]), -1)}
    out["document_keys"] = np.zeros((batch, widths[0]), np.int64)
    out["valid"] = np.zeros((batch, widths[0]), np.bool_)
    if cross:
        out["query_documents"] = np.full((batch, widths[1]), -1)
        out["valid_queries"] = np.zeros((batch, widths[1]), np.bool_)
    for number, text in enumerate(texts):
        out["documents"][text.row, text.keys] = number
        out["document_keys"][text.row, text.keys] = text.sample_key
        out["valid"][text.row, text.keys] = text.real("valid")
        if cross:
            out["query_documents"][text.row, text.queries] = number
            out["valid_queries"][text.row, text.queries] = text.real("valid_queries")
        for name, values in text.annotations.items():
            if name in ("valid", "valid_queries", "links"):
                continue
            side = text.queries if cross and name in OF_QUERIES else text.keys
            width = widths[1] if side is text.queries and cross else widths[0]
            out.setdefault(name, np.zeros((batch, width), np.int64))
            out[name][text.row, side] = np.broadcast_to(values, (1, len(side)))[0]
    if any("links" in text.annotations for text in texts):
        out["links"] = _links(texts, batch, out)
    return out


def _links(
    texts: list[Text], batch: int, annotations: dict[str, Any]
) -> list[list[tuple[int, int]]]:
    """Return the links of the rows, counted from their first real tokens."""
    links: list[list[tuple[int, int]]] = [[] for _ in range(batch)]
    for text in texts:
        source = text.keys[text.real("valid").argmax() :] - annotations["valid"][text.row].argmax()
        target = text.queries[text.real("valid_queries").argmax() :]
        target = target - annotations["valid_queries"][text.row].argmax()
        for one, other in np.asarray(text.annotations["links"][0]).reshape(-1, 2):
            if one >= 0:
                links[text.row].append((int(source[one]), int(target[other])))
    return links
