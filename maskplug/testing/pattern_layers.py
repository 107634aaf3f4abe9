"""Layers for the patterns under test: by name for those that patterns of the library read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from maskplug.attention import AttentionKind
from maskplug.errors import TokenError
from maskplug.types import IntArray


@dataclass(frozen=True)
class Sample:
    """One sample under test, padding not counted.

    Attributes:
        number: from 0, in the subject's order.
        keys: how many tokens it has; in cross attention, the source.
        queries: how many tokens ask: as many, but in cross attention those of the target.
        place: "encoder", "decoder" or "cross".
    """

    number: int
    keys: int
    queries: int
    attention_kind: AttentionKind


#: Makes the layers of one sample, by name: a value for each key, or in cross attention for each
#: query; one number for the sample; or a list of pairs. The kit adds the padding.
PatternLayers = Callable[[Sample], Mapping[str, Any]]


def _order(sample: Sample) -> IntArray:
    """Ranks of every third token, from the end; -1 elsewhere."""
    rank = np.full(sample.keys, -1)
    rank[1::3] = np.arange(len(rank[1::3]))[::-1]
    return rank


def _reads(sample: Sample) -> IntArray:
    """How far a reader has come, who goes back a step now and then."""
    query = np.arange(sample.queries)
    read: IntArray = query * sample.keys // sample.queries - query % 3 + 1
    return np.clip(read, 0, sample.keys)


def _links(sample: Sample) -> list[tuple[int, int]]:
    """Links for two in three of the target tokens; some have two."""
    last = sample.keys - 1
    straight = [(min(q, last), q) for q in range(sample.queries) if q % 3]
    return straight + [(last, q) for q in range(0, sample.queries, 4)]


#: The layers that patterns of the library read and for which small integers will not do.
KNOWN: Mapping[str, Callable[[Sample], Any]] = {
    "documents": lambda sample: np.arange(sample.keys) // 4,
    "query_documents": lambda sample: np.arange(sample.queries) // 5,
    "sources_read": _reads,
    "links": _links,
    "order": _order,
    "segments": lambda sample: (np.arange(sample.keys) >= sample.keys // 2).astype(np.int64),
    "prefix_lengths": lambda sample: sample.keys // 3,
}
#: What a pattern that reads a layer also reads of the queries in cross attention.
OF_QUERIES = {"documents": "query_documents"}


def made_for(sample: Sample, names: tuple[str, ...], more: Mapping[str, Any]) -> dict[str, Any]:
    """The layers of these names, and those that the author of the pattern made."""
    found = {}
    for name in names:
        found[name] = KNOWN.get(name, _small)(sample)
        if sample.attention_kind == "cross" and name in OF_QUERIES:
            found[OF_QUERIES[name]] = KNOWN[OF_QUERIES[name]](sample)
    return {**found, **more}


def _small(sample: Sample) -> IntArray:
    return (np.arange(sample.keys) + sample.number) % 3


def padded(
    name: str, values: list[Any], samples: tuple[Sample, ...], left: int, widths: Mapping[str, int]
) -> Any:
    """A layer of several samples in padded rows; padding holds 0.

    Args:
        name: of the layer, for messages.
        values: what each sample has.
        samples: all of them.
        left: how many padding tokens stand on the left.
        widths: of a row of ``keys`` and of ``queries``.

    Raises:
        TokenError: when a value is neither one number, nor one for each token, nor pairs.
    """
    arrays = [np.asarray(value) for value in values]
    if all(array.ndim == 0 for array in arrays):
        return np.stack(arrays)
    if all(array.ndim == 2 or not array.size for array in arrays):
        return [array.reshape(-1, 2) for array in arrays]
    for side, width in widths.items():
        lengths = [getattr(sample, side) for sample in samples]
        if [array.shape for array in arrays] == [(length,) for length in lengths]:
            out = np.zeros((len(arrays), width), arrays[0].dtype)
            for row, array in zip(out, arrays, strict=True):
                row[left : left + len(array)] = array
            return out
    shapes = [array.shape for array in arrays]
    raise TokenError(
        f"the layer {name!r} was made in the shapes {shapes} for {samples}; a sample has one value "
        "for each key or query, one number, or pairs"
    )
