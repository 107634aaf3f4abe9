"""Random calls of attention, and scalar twins of patterns.

A twin is ``twin(view) -> bool``: whether a query may attend to a key. Positions count in the
sample's own tokens, as in patterns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.random import Generator

import maskplug
from maskplug.attention import AttentionCall
from maskplug.context import MaskingContext
from maskplug.types import BoolArray


@dataclass(frozen=True)
class Scene:
    """The arguments of a renderer; annotations have the shape (batch, keys)."""

    q_len: int
    kv_len: int
    batch: int
    t: int
    progress: float
    seed: int
    keys: list[int]
    heads: int
    offset: int
    attention_kind: str
    layer_idx: int
    annotations: dict[str, Any]

    @cached_property
    def rows(self) -> dict[str, Any]:
        """The annotations as lists."""
        return {
            name: values.tolist() if isinstance(values, np.ndarray) else values
            for name, values in self.annotations.items()
        }

    @property
    def arguments(self) -> dict[str, Any]:
        """All arguments, by name."""
        names = "q_len kv_len t progress seed keys heads offset attention_kind layer_idx"
        return {name: getattr(self, name) for name in names.split()} | self.annotations

    def alone(self, sample: int) -> dict[str, Any]:
        """The arguments of one sample."""
        annotations = {name: rows[sample : sample + 1] for name, rows in self.annotations.items()}
        return {**self.arguments, "keys": [self.keys[sample]], **annotations}


@dataclass(frozen=True)
class View:
    """One cell: a query and a key of one sample and head.

    Attributes:
        q, k: their positions, from the sample's first real token.
        length: number of keys of the sample.
        options: the options of the pattern.
        sample, head: their indices in the scene.
    """

    q: int
    k: int
    length: int
    start: int
    options: Mapping[str, Any]
    sample: int
    head: int
    scene: Scene

    def row(self, name: str) -> list[int]:
        """Return the sample's values of an annotation, padding included: ``row[k + start]``."""
        return self.scene.rows[name][self.sample]

    def value(self, name: str) -> Any:
        """Return an option; the value of a schedule is rounded."""
        option = self.options[name]
        return int(self.share(name) + 0.5) if isinstance(option, maskplug.Schedule) else option

    def share(self, name: str) -> float:
        """Return a numeric option; the value of a schedule is not rounded."""
        option = self.options[name]
        if isinstance(option, maskplug.Schedule):
            return float(option(np.array([self.scene.progress]))[0])
        return float(option)


def attention_call(q_len: int = 4, kv_len: int = 4, batch: int = 1, **more: Any) -> AttentionCall:
    """Return a call with the keys 0 at t = 0."""
    progress = more.pop("progress", 0.0)
    context = MaskingContext.at(0, 0, 0, np.zeros(batch, np.uint64), progress)
    return AttentionCall(q_len, kv_len, context, **more)


Twin = Callable[[View], bool]
DrawAnnotations = Callable[[Generator, int, int, int], dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """One pattern with some options.

    Attributes:
        text: the pattern as an expression.
        twin: the scalar twin.
        annotations: draws annotations: ``annotations(rng, batch, queries, keys)``.
        places: the kinds of attention that it can be used for.
        keys: the numbers of keys to try; None for any.
        offsets: whether queries may begin at a later key.
    """

    text: str
    twin: Twin
    annotations: DrawAnnotations = lambda rng, batch, queries, keys: {}
    places: tuple[str, ...] = ("encoder", "decoder", "cross")
    keys: tuple[int, ...] | None = None
    offsets: bool = True

    @property
    def pattern(self) -> maskplug.Pattern:
        """The pattern."""
        return maskplug.pattern(self.text)

    @property
    def name(self) -> str:
        """The registered name: ``window@1``."""
        name: str = self.pattern.spec["name"]
        return name


def valid_rows(rng: Generator, batch: int, length: int) -> BoolArray:
    """Return rows with random padding on either side, or none."""
    rows = np.zeros((batch, length), np.bool_)
    for row in rows:
        left = int(rng.integers(0, length // 2 + 1)) if rng.random() < 0.4 else 0
        right = int(rng.integers(0, length // 3 + 1)) if rng.random() < 0.4 else 0
        row[left : max(length - right, left + 1)] = True
    return rows


def scene(case: Case, rng: Generator, longest: int = 17) -> Scene:
    """Return a random scene for a case."""
    attention_kind = str(rng.choice(case.places))
    keys = int(rng.choice(case.keys) if case.keys else rng.integers(1, longest + 1))
    queries = int(rng.integers(1, longest + 1)) if attention_kind == "cross" else keys
    offset = 0
    if attention_kind != "encoder" and case.offsets and rng.random() < 0.5:
        offset = int(rng.integers(0, keys if attention_kind == "decoder" else queries))
        queries = keys - offset if attention_kind == "decoder" else queries - offset
    batch = int(rng.integers(1, 4))
    annotations = case.annotations(rng, batch, queries + offset, keys)
    if "valid" not in annotations and rng.random() < 0.5:
        annotations["valid"] = valid_rows(rng, batch, keys)
        if attention_kind == "cross":
            annotations["valid_queries"] = valid_rows(rng, batch, queries + offset)
    return Scene(
        queries,
        keys,
        batch,
        t=int(rng.integers(0, 5)),
        progress=float(rng.choice([0.0, 0.3, 1.0])),
        seed=int(rng.integers(0, 9)),
        keys=rng.integers(0, 2**32, batch).tolist(),
        heads=int(rng.integers(1, 4)),
        offset=offset,
        attention_kind=attention_kind,
        layer_idx=int(rng.integers(0, 3)),
        annotations=annotations,
    )


def random_scenes(case: Case, number: int, seed: int = 0) -> Iterator[Scene]:
    """Yield random scenes for a case."""
    rng = np.random.default_rng(seed)
    return (scene(case, rng) for _ in range(number))


def expected(case: Case, where: Scene) -> BoolArray:
    """Return the twin's matrix: bool of shape (batch, heads, queries, keys)."""
    options = vars(case.pattern)
    out = np.zeros((where.batch, where.heads, where.q_len, where.kv_len), np.bool_)
    valid = np.asarray(
        where.annotations.get("valid", np.ones((where.batch, where.kv_len), np.bool_))
    )
    default = np.ones((where.batch, where.offset + where.q_len), np.bool_)
    valid_q = np.asarray(where.annotations.get("valid_queries", default))
    for sample in range(where.batch):
        real = np.flatnonzero(valid[sample])
        start = int(real[0]) if len(real) else 0
        length = int(real[-1]) + 1 - start if len(real) else 0
        first_q = int(valid_q[sample].argmax()) if where.attention_kind == "cross" else start
        for head, q, k in np.ndindex(out.shape[1:]):
            position = q + where.offset - first_q
            view = View(position, k - start, length, start, options, sample, head, where)
            out[sample, head, q, k] = case.twin(view)
    return out


def spread(mask: Any, where: Scene) -> BoolArray:
    """Return a mask broadcast to all samples and heads."""
    shape = (where.batch, where.heads, where.q_len, where.kv_len)
    return np.broadcast_to(np.asarray(mask), shape)
