"""What the checks of patterns are run on: a pattern, and uses of attention that suit it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_args

import numpy as np

from maskplug.attention import AttentionCall, AttentionKind, Intervals, Pattern, pattern
from maskplug.context import MaskingContext
from maskplug.errors import OptionError, PluginError
from maskplug.plugins import registry
from maskplug.registry import Entry
from maskplug.rng import keys_of
from maskplug.testing.pattern_layers import PatternLayers, Sample, made_for, padded
from maskplug.types import BoolArray

#: How many keys the samples of a usual batch have.
LENGTHS = (12, 1, 17, 8, 2, 5)
#: The lengths for patterns that do not take every number of keys.
LENGTHS_OF: Mapping[str, Sequence[int]] = {"block_diffusion@1": (12, 2, 18, 8, 4)}
#: How many heads there are.
HEADS = 2
#: The numbers of the model's layers, where a pattern may do one thing in one and another in others.
DEPTHS = range(4)


@dataclass(frozen=True, eq=False)
class Batch:
    """Samples in padded rows.

    Attributes:
        samples: their own tokens.
        place: where attention is used.
        layers: of the padded rows, ``valid`` and in cross attention ``valid_queries`` among them.
        left: how many padding tokens stand before each sample.
        q_len, kv_len: the lengths of the padded rows.
    """

    samples: tuple[Sample, ...]
    attention_kind: AttentionKind
    annotations: Mapping[str, Any]
    left: int
    q_len: int
    kv_len: int

    @property
    def names(self) -> list[str]:
        """The keys of the samples, for their draws."""
        return [f"sample {sample.number}" for sample in self.samples]

    def cells(self, rows: Intervals) -> list[BoolArray]:
        """What the real queries of each sample see of its real keys: (heads, queries, keys)."""
        shape = (len(self.samples), HEADS, self.q_len, self.kv_len)
        dense = np.broadcast_to(rows.dense(), shape)
        return [
            dense[i, :, self.left : self.left + s.queries, self.left : self.left + s.keys]
            for i, s in enumerate(self.samples)
        ]


@dataclass(frozen=True)
class PatternSubject:
    """A pattern under test. Make one with :meth:`of`.

    Attributes:
        pattern: what is checked.
        layers: makes the layers of a sample, by name. Layers that the pattern reads and that are
            not made here are small integers, or what suits their name.
        lengths: how many keys the samples have.
        seed: what the draws are made with.

    Raises:
        OptionError: for a seed out of range, or lengths that are no lengths.
    """

    pattern: Pattern
    annotations: PatternLayers = lambda sample: {}
    lengths: tuple[int, ...] = LENGTHS
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 1 << 63:
            raise OptionError(f"seed is {self.seed}; it goes from 0 to 2**63 - 1")
        if not self.lengths or min(self.lengths) < 1:
            raise OptionError(f"lengths are {self.lengths}; give at least one, each from 1 upwards")

    @classmethod
    def of(
        cls,
        made: str | Mapping[str, Any] | Pattern,
        annotations: PatternLayers | None = None,
        lengths: Sequence[int] | None = None,
        seed: int = 0,
        options: Mapping[str, Any] | None = None,
    ) -> PatternSubject:
        """A pattern, by name, expression, spec or as it is, with everything else filled in.

        Example:
            >>> PatternSubject.of("window", options={"left": 3}).label
            'window:left=3,right=0'
        """
        one = pattern(made, **(options or {}))
        if lengths is None:
            named = [_entry(part) for part in one.parts if isinstance(part, Pattern)]
            labels = [entry.pinned for entry in named if entry is not None]
            lengths = next((LENGTHS_OF[name] for name in labels if name in LENGTHS_OF), LENGTHS)
        return cls(
            one, (lambda sample: {}) if annotations is None else annotations, tuple(lengths), seed
        )

    @property
    def label(self) -> str:
        """The pattern as an expression."""
        return str(self.pattern)

    @property
    def entry(self) -> Entry | None:
        """What is registered for the pattern's class, or None."""
        return _entry(self.pattern)

    @cached_property
    def places(self) -> tuple[AttentionKind, ...]:
        """Where the pattern can be used: it refuses other places with an OptionError."""
        return tuple(
            attention_kind
            for attention_kind in get_args(AttentionKind)
            if not self.refusal(attention_kind)
        )

    def refusal(self, attention_kind: AttentionKind) -> str:
        """The message with which the pattern refuses a place; empty where it does not."""
        try:
            self.rows(self.batch(attention_kind))
        except OptionError as error:
            return str(error)
        except Exception:  # the checks will tell
            return ""
        return ""

    def batches(self, left: int = 1, right: int = 2) -> Iterator[Batch]:
        """A usual batch for every place."""
        return (
            self.batch(attention_kind, left=left, right=right) for attention_kind in self.places
        )

    def batch(
        self,
        attention_kind: AttentionKind,
        rows: Sequence[int] | None = None,
        left: int = 0,
        right: int = 0,
    ) -> Batch:
        """Some samples, or all, in rows as wide as all of them need.

        Args:
            place: where attention is used.
            rows: the numbers of the samples.
            left, right: how much padding stands on either side of the longest sample.
        """
        everyone = [_sample(i, keys, attention_kind) for i, keys in enumerate(self.lengths)]
        samples = tuple(everyone if rows is None else [everyone[i] for i in rows])
        widths = {
            side: left + max(getattr(s, side) for s in everyone) + right
            for side in ("keys", "queries")
        }
        names = tuple(
            n for n in self.pattern.all_required_annotations if n not in ("valid", "valid_queries")
        )
        made = [made_for(sample, names, self.annotations(sample)) for sample in samples]
        for sample, columns in zip(samples, made, strict=True):
            columns["valid"] = np.ones(sample.keys, np.int64)
            if attention_kind == "cross":
                columns["valid_queries"] = np.ones(sample.queries, np.int64)
        annotations = {
            name: padded(name, [one[name] for one in made], samples, left, widths)
            for name in made[0]
        }
        return Batch(samples, attention_kind, annotations, left, widths["queries"], widths["keys"])

    def rows(
        self,
        batch: Batch,
        annotations: Mapping[str, Any] | None = None,
        *,
        seed: int = 0,
        epoch: Any = 0,
        step: Any = 0,
        progress: Any = 0.0,
        keys: Sequence[str] | None = None,
        offset: int = 0,
        layer_idx: int = 0,
    ) -> Intervals:
        """What the pattern says of a batch; the seed is counted from ours.

        Args:
            batch: of any place.
            layers: instead of the batch's own.
            seed, epoch, step, progress: as for a strategy, one for all samples or for each.
            keys: of the samples, instead of their names.
            offset: the key at which the queries begin.
            depth: the number of the model's layer.
        """
        numbers = keys_of(batch.names if keys is None else keys)
        context = MaskingContext.at(self.seed + seed, epoch, step, numbers, progress)
        site = AttentionCall(
            batch.q_len - offset,
            batch.kv_len,
            context,
            HEADS,
            offset,
            batch.attention_kind,
            layer_idx,
            dict(batch.annotations if annotations is None else annotations),
        )
        return self.pattern.rows(site)


def _sample(number: int, keys: int, attention_kind: AttentionKind) -> Sample:
    """A sample; in cross attention it has another number of queries than of keys."""
    queries = keys + 2 if keys % 2 else keys // 2
    return Sample(number, keys, queries if attention_kind == "cross" else keys, attention_kind)


def _entry(part: Pattern) -> Entry | None:
    try:
        return registry().find("pattern", part.spec["name"])
    except PluginError:
        return None
