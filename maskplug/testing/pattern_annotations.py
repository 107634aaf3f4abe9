"""Annotations for patterns under test, by name or small integers."""

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
        kv_len: number of keys; in cross attention, of the source.
        q_len: number of queries: the same, but in cross attention that of the target.
        attention_kind: "encoder", "decoder" or "cross".
    """

    number: int
    kv_len: int
    q_len: int
    attention_kind: AttentionKind


#: Returns the annotations of one sample, by name: one value per key (in cross attention also per
#: query), one number, or a list of pairs. Padding is added later.
MakePatternAnnotations = Callable[[Sample], Mapping[str, Any]]


def _order(sample: Sample) -> IntArray:
    """Return ranks for every third token, counted from the end; -1 elsewhere."""
    rank = np.full(sample.kv_len, -1)
    rank[1::3] = np.arange(len(rank[1::3]))[::-1]
    return rank


def _sources_read(sample: Sample) -> IntArray:
    """Return numbers of source tokens read, which sometimes decrease."""
    q_idx = np.arange(sample.q_len)
    read: IntArray = q_idx * sample.kv_len // sample.q_len - q_idx % 3 + 1
    return np.clip(read, 0, sample.kv_len)


def _links(sample: Sample) -> list[tuple[int, int]]:
    """Return links for two in three of the target tokens; some have two."""
    last = sample.kv_len - 1
    diagonal = [(min(q, last), q) for q in range(sample.q_len) if q % 3]
    return diagonal + [(last, q) for q in range(0, sample.q_len, 4)]


#: Annotations of built-in patterns that cannot be arbitrary small integers.
KNOWN: Mapping[str, Callable[[Sample], Any]] = {
    "documents": lambda sample: np.arange(sample.kv_len) // 4,
    "query_documents": lambda sample: np.arange(sample.q_len) // 5,
    "sources_read": _sources_read,
    "links": _links,
    "order": _order,
    "segments": lambda sample: (np.arange(sample.kv_len) >= sample.kv_len // 2).astype(np.int64),
    "prefix_lengths": lambda sample: sample.kv_len // 3,
}


def annotations_of(
    sample: Sample, names: tuple[str, ...], given: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the required annotations, ``valid``, and those that the author gives."""
    annotations: dict[str, Any] = {}
    for name in names:
        small = (np.arange(sample.kv_len) + sample.number) % 3
        annotations[name] = KNOWN[name](sample) if name in KNOWN else small
        if name == "documents" and sample.attention_kind == "cross":
            annotations["query_documents"] = KNOWN["query_documents"](sample)
    annotations |= {**given, "valid": np.ones(sample.kv_len, np.int64)}
    if sample.attention_kind == "cross":
        annotations["valid_queries"] = np.ones(sample.q_len, np.int64)
    return annotations


def padded(
    name: str, values: list[Any], samples: tuple[Sample, ...], left: int, widths: Mapping[str, int]
) -> Any:
    """Return an annotation of several samples in padded rows; padding holds 0.

    Args:
        name: for messages.
        values: one per sample.
        left: number of padding tokens on the left.
        widths: row lengths by attribute, "kv_len" and "q_len".

    Raises:
        TokenError: when a value is neither one number, nor one per token, nor pairs.
    """
    arrays = [np.asarray(value) for value in values]
    if all(array.ndim == 0 for array in arrays):
        return np.stack(arrays)
    if all(array.ndim == 2 or not array.size for array in arrays):
        return [array.reshape(-1, 2) for array in arrays]
    for side, width in widths.items():
        if [array.shape for array in arrays] == [(getattr(s, side),) for s in samples]:
            out = np.zeros((len(arrays), width), arrays[0].dtype)
            for row, array in zip(out, arrays, strict=True):
                row[left : left + len(array)] = array
            return out
    shapes = [array.shape for array in arrays]
    raise TokenError(
        f"the annotation {name!r} has the shapes {shapes} for {samples}; expected "
        " one value per key or query, one number, or pairs for each sample"
    )
