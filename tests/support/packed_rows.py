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
        valid = self.annotations.get(name, np.ones((1, len(side)), np.bool_))
        return np.asarray(valid)[0].astype(bool)


@dataclass(frozen=True)
class Rows:
    """Documents in rows; ``arguments`` of patterns for the packed rows."""

    texts: list[Text]
    keys: int
    queries: int
    attention_kind: str
    common: dict[str, Any]
    annotations: dict[str, Any]

    @property
    def arguments(self) -> dict[str, Any]:
        return {"q_len": self.queries, "kv_len": self.keys, **self.common, **self.annotations}

    def alone(self, text: Text) -> dict[str, Any]:
        """Return the arguments for one document."""
        lengths = {"q_len": len(text.queries), "kv_len": len(text.keys)}
        return lengths | self.common | {"keys": [text.sample_key]} | text.annotations


def rows(case: Case, rng: Generator, together: bool = True) -> Rows:
    """Return a random batch of packed rows.

    Args:
        case: draws the annotations of each document.
        rng: the generator.
        together: whether the tokens of a document are contiguous.
    """
    kind = str(rng.choice(case.places))
    cross, batch = kind == "cross", int(rng.integers(1, 3))
    texts: list[Text] = []
    for row in range(batch):
        sizes = rng.integers(2, 12, (int(rng.integers(1, 5)), 2))
        keys = _positions(sizes[:, 0], rng, together)
        queries = _positions(sizes[:, 1], rng, together) if cross else keys
        for pair in zip(keys, queries, strict=True):
            annotations = case.annotations(rng, 1, len(pair[1]), len(pair[0]))
            texts.append(Text(row, *pair, int(rng.integers(0, 2**62)), annotations))
    width = max(int(text.keys.max()) for text in texts) + int(rng.integers(1, 4))
    queries_width = max(int(text.queries.max()) for text in texts) + int(rng.integers(1, 4))
    widths = (width, queries_width if cross else width)
    common = {
        "attention_kind": kind,
        "t": int(rng.integers(0, 5)),
        "progress": float(rng.choice([0.0, 0.3, 1.0])),
        "seed": int(rng.integers(0, 9)),
        "heads": int(rng.integers(1, 3)),
        "layer_idx": int(rng.integers(0, 3)),
    }
    return Rows(texts, *widths, kind, common, _annotations(texts, batch, widths, cross))


def _positions(sizes: IntArray, rng: Generator, together: bool) -> list[IntArray]:
    """Return the positions of each document, after up to two tokens of padding."""
    document = np.repeat(np.arange(len(sizes)), sizes)
    document = document if together else rng.permutation(document)
    start = int(rng.integers(0, 3))
    return [np.flatnonzero(document == i) + start for i in range(len(sizes))]


def _annotations(
    texts: list[Text], batch: int, widths: tuple[int, int], cross: bool
) -> dict[str, Any]:
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
            side = int(cross and name in OF_QUERIES)
            positions = (text.keys, text.queries)[side]
            out.setdefault(name, np.zeros((batch, widths[side]), np.int64))
            out[name][text.row, positions] = np.broadcast_to(values, (1, len(positions)))[0]
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
