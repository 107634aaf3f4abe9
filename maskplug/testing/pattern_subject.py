"""The subject of the checks of patterns: a pattern, and attention calls that suit it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, get_args

import numpy as np

from maskplug.attention import AttentionCall, AttentionKind, Intervals, Pattern, pattern
from maskplug.context import MaskingContext
from maskplug.errors import OptionError, PluginError, TokenError
from maskplug.plugins import registry
from maskplug.registry import Entry
from maskplug.rng import keys_of
from maskplug.types import BoolArray, IntArray

#: Numbers of keys of the samples of a standard batch.
LENGTHS = (12, 1, 17, 8, 2, 5)
#: The same for patterns that do not accept every number of keys.
LENGTHS_OF: Mapping[str, Sequence[int]] = {"block_diffusion@1": (12, 2, 18, 8, 4)}
HEADS = 2
#: Model layers to look at, since a pattern may differ between layers.
LAYERS = range(4)
#: What each sample's queries see: (heads, queries, keys) for each sample.
Cells = list[BoolArray]


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


def _padded(
    name: str, values: list[Any], samples: tuple[Sample, ...], left: int, widths: Mapping[str, int]
) -> Any:
    """Return an annotation of several samples in rows of ``widths``; padding holds 0."""
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


@dataclass(frozen=True, eq=False)
class Batch:
    """Samples in padded rows.

    Attributes:
        samples: the samples, padding not counted.
        attention_kind: "encoder", "decoder" or "cross".
        annotations: of the padded rows, including ``valid`` and in cross attention
            ``valid_queries``.
        left: number of padding tokens before each sample.
        q_len, kv_len: lengths of the padded rows.
    """

    samples: tuple[Sample, ...]
    attention_kind: AttentionKind
    annotations: Mapping[str, Any]
    left: int
    q_len: int
    kv_len: int

    @property
    def keys(self) -> list[str]:
        """The sample keys for draws."""
        return [f"sample {sample.number}" for sample in self.samples]

    def cells(self, rows: Intervals) -> Cells:
        """Return what each sample's own queries see of its own keys."""
        shape = (len(self.samples), HEADS, self.q_len, self.kv_len)
        dense = np.broadcast_to(rows.dense(), shape)
        return [
            dense[i, :, self.left : self.left + s.q_len, self.left : self.left + s.kv_len]
            for i, s in enumerate(self.samples)
        ]

    def assert_same(self, actual: Any, expected: Any, what: str, remedy: str) -> None:
        """Assert that cells, or the intervals that they come from, are equal."""
        a, b = (self.cells(c) if isinstance(c, Intervals) else c for c in (actual, expected))
        for sample, cells, others in zip(self.samples, a, b, strict=True):
            if not np.array_equal(cells, others):
                head, query, _ = (int(axis[0]) for axis in np.nonzero(cells != others))
                raise AssertionError(
                    f"{what}: in {self.attention_kind!r}, query {query} of sample {sample.number} "
                    f"(head {head}, {sample.kv_len} keys) sees\n  {_shown(cells[head, query])}\n"
                    f"instead of\n  {_shown(others[head, query])}\n{remedy}"
                )


def _shown(row: Any) -> str:
    return " ".join("1" if seen else "·" for seen in row)


@dataclass(frozen=True)
class PatternSubject:
    """A pattern under test; create one with :meth:`of`.

    Attributes:
        pattern: the pattern to check.
        annotations: returns the annotations of a sample, by name. Annotations that the pattern
            requires and this function does not return are small integers, or suit their name.
        lengths: numbers of keys of the samples.
        seed: added to the seed of every call.

    Raises:
        OptionError: when the seed is out of range, or a length is below 1.
    """

    kind: ClassVar[str] = "pattern"
    how_to_draw: ClassVar[str] = (
        "Draw only from call.rng(clock): rng.bits, rng.uniform, rng.integers."
    )

    pattern: Pattern
    annotations: MakePatternAnnotations = lambda sample: {}
    lengths: tuple[int, ...] = LENGTHS
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 1 << 63:
            raise OptionError(f"seed is {self.seed}; it must be from 0 to 2**63 - 1")
        if not self.lengths or min(self.lengths) < 1:
            raise OptionError(f"lengths are {self.lengths}; expected integers from 1 upwards")

    @classmethod
    def of(
        cls,
        name: str | Mapping[str, Any] | Pattern,
        annotations: MakePatternAnnotations | None = None,
        lengths: Sequence[int] | None = None,
        seed: int = 0,
        options: Mapping[str, Any] | None = None,
    ) -> PatternSubject:
        """Return the subject for a pattern (a name, expression, spec or Pattern), with defaults.

        Example:
            >>> PatternSubject.of("window", options={"left": 3}).label
            'window:left=3,right=0'
        """
        built = pattern(name, **(options or {}))
        if lengths is None:
            entries = [_entry(part) for part in built.parts if isinstance(part, Pattern)]
            labels = [entry.pinned for entry in entries if entry is not None]
            lengths = next((LENGTHS_OF[name] for name in labels if name in LENGTHS_OF), LENGTHS)
        make = (lambda sample: {}) if annotations is None else annotations
        return cls(built, make, tuple(lengths), seed)

    @property
    def part(self) -> Pattern:
        """The pattern."""
        return self.pattern

    @property
    def label(self) -> str:
        """The pattern as an expression."""
        return str(self.pattern)

    name = label

    @property
    def entry(self) -> Entry | None:
        """The registry entry of the pattern's class, or None."""
        return _entry(self.pattern)

    def replaced(self, spec_or_part: Any) -> PatternSubject:
        """Return a subject with another pattern and the same samples."""
        return replace(self, pattern=pattern(spec_or_part))

    def build(self, **changed: Any) -> Pattern:
        """Build the pattern by name with some options changed or added."""
        return pattern({**self.pattern.spec, **changed})

    @cached_property
    def attention_kinds(self) -> tuple[AttentionKind, ...]:
        """The attention kinds that the pattern accepts; it refuses others with an OptionError."""
        return tuple(kind for kind in get_args(AttentionKind) if not self.refusal(kind))

    def refusal(self, attention_kind: AttentionKind) -> str:
        """Return the message with which the pattern refuses an attention kind, or ""."""
        try:
            self.rows(self.batch(attention_kind))
        except OptionError as error:
            return str(error)
        except Exception:  # the checks report it
            return ""
        return ""

    def batches(self, left: int = 1, right: int = 2) -> Iterator[Batch]:
        """Yield a standard batch for each attention kind."""
        return (self.batch(kind, left=left, right=right) for kind in self.attention_kinds)

    def batch(
        self,
        attention_kind: AttentionKind,
        rows: Sequence[int] | None = None,
        left: int = 0,
        right: int = 0,
    ) -> Batch:
        """Return samples, by default all, in rows long enough for the longest of all samples.

        Args:
            attention_kind: "encoder", "decoder" or "cross".
            rows: sample numbers.
            left, right: number of padding tokens on each side of the longest sample.
        """
        everyone = [_sample(i, kv_len, attention_kind) for i, kv_len in enumerate(self.lengths)]
        samples = tuple(everyone if rows is None else [everyone[i] for i in rows])
        widths = {
            side: left + max(getattr(s, side) for s in everyone) + right
            for side in ("kv_len", "q_len")
        }
        columns = [self._annotations_of(sample) for sample in samples]
        annotations = {
            name: _padded(name, [column[name] for column in columns], samples, left, widths)
            for name in columns[0]
        }
        return Batch(samples, attention_kind, annotations, left, widths["q_len"], widths["kv_len"])

    def _annotations_of(self, sample: Sample) -> dict[str, Any]:
        """Return the required annotations, those of the author, and ``valid``."""
        required = [n for n in self.pattern.all_required_annotations if n != "valid_queries"]
        small = (np.arange(sample.kv_len) + sample.number) % 3
        annotations: dict[str, Any] = {
            name: KNOWN[name](sample) if name in KNOWN else small for name in required
        }
        cross = sample.attention_kind == "cross"
        if cross and "documents" in required:
            annotations["query_documents"] = KNOWN["query_documents"](sample)
        annotations |= {**self.annotations(sample), "valid": np.ones(sample.kv_len, np.int64)}
        if cross:
            annotations["valid_queries"] = np.ones(sample.q_len, np.int64)
        return annotations

    def rows(
        self,
        batch: Batch,
        annotations: Mapping[str, Any] | None = None,
        *,
        keys: Sequence[str] | None = None,
        offset: int = 0,
        layer_idx: int = 0,
        **time: Any,
    ) -> Intervals:
        """Return the pattern's intervals for a batch.

        Args:
            batch: from :meth:`batch`.
            annotations, keys: instead of the batch's own.
            offset: index of the key at which the queries begin.
            layer_idx: index of the model's layer.
            time: seed (added to the subject's), epoch, step, progress; 0 by default.
        """
        seed, epoch, step = (time.get(name, 0) for name in ("seed", "epoch", "step"))
        numbers = keys_of(batch.keys if keys is None else keys)
        context = MaskingContext.at(
            self.seed + seed, epoch, step, numbers, time.get("progress", 0.0)
        )
        annotations = dict(batch.annotations if annotations is None else annotations)
        kind, q_len = batch.attention_kind, batch.q_len - offset
        return self.pattern.rows(
            AttentionCall(q_len, batch.kv_len, context, HEADS, offset, kind, layer_idx, annotations)
        )

    def outcomes(self, **context: Any) -> Any:
        """Return (batch, intervals) for the standard batch of each attention kind."""
        return [(batch, self.rows(batch, **context)) for batch in self.batches()]

    @staticmethod
    def assert_same(actual: Any, expected: Any, what: str, remedy: str) -> None:
        """Assert that two lists of outcomes are equal."""
        for (batch, rows), (_, expected_rows) in zip(actual, expected, strict=True):
            batch.assert_same(rows, expected_rows, what, remedy)


def _sample(number: int, kv_len: int, attention_kind: AttentionKind) -> Sample:
    q_len = (kv_len + 2 if kv_len % 2 else kv_len // 2) if attention_kind == "cross" else kv_len
    return Sample(number, kv_len, q_len, attention_kind)


def _entry(part: Pattern) -> Entry | None:
    try:
        return registry().find("pattern", part.spec["name"])
    except PluginError:
        return None
