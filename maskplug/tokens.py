"""The ragged arrays that flow through a strategy: TokenBatch in, Selection between, Masked out.

All of them hold flat arrays and row offsets, as an Arrow list column does, and are read-only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from maskplug.errors import ResultError, TokenError, shortened
from maskplug.ragged import Ragged, flatten, gather
from maskplug.rng import keys_of
from maskplug.types import BoolArray, FloatArray, IntArray, UintArray, lengths_of, ones, readonly
from maskplug.validation.arrays import (
    check_annotation,
    checked_rows,
    flat_annotation,
    flat_integers,
)
from maskplug.validation.options import COUNT, is_whole


@dataclass(frozen=True, eq=False)
class TokenBatch:
    """Samples to be masked: ids, row offsets, one key a sample, and layers aligned with the ids.

    Attributes:
        ids: int64, all samples one after the other.
        offsets: int64, one longer than there are samples.
        keys: uint64, one a sample.
        layers: arrays of the length of ``ids``. ``word_starts`` (bool, True where a word begins)
            replaces the vocabulary's table, ``sentence_starts`` (bool, True where a sentence
            begins) its idea of where sentences end; ``protected`` (bool, True = never masked) adds
            to its special ids. Strategies name others that they read (:attr:`Strategy.required_annotations`).

    Example:
        >>> tokens = TokenBatch.from_lists([[2, 17, 88, 3], [2, 5, 3]], keys=["doc-1", "doc-2"])
        >>> len(tokens), tokens.ids.tolist()
        (2, [2, 17, 88, 3, 2, 5, 3])
    """

    ids: IntArray
    offsets: IntArray
    keys: UintArray
    annotations: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ids, offsets = checked_rows(self.ids, self.offsets)
        object.__setattr__(self, "ids", ids)
        object.__setattr__(self, "offsets", offsets)
        object.__setattr__(self, "keys", keys_of(self.keys))
        if len(self.keys) != len(self):
            raise TokenError(
                f"{len(self)} samples came with {len(self.keys)} keys; expected one key per sample"
            )
        if not isinstance(self.annotations, Mapping):
            raise TokenError(
                f"layers are {shortened(self.annotations)}; expected a mapping by name"
            )
        annotations = {
            name: check_annotation(name, layer, len(ids))
            for name, layer in self.annotations.items()
        }
        object.__setattr__(self, "annotations", MappingProxyType(annotations))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), _arguments(self)  # so that copies are read-only as well

    @classmethod
    def from_lists(
        cls,
        rows: Sequence[Any],
        keys: Iterable[int | str | bytes] | UintArray | None = None,
        **annotations: Sequence[Any],
    ) -> TokenBatch:
        """Build a batch from rows of ids (lists or integer arrays).

        Args:
            rows: one sequence of ids a sample; empty ones are allowed. Arrays of shape (1, length)
                or of objects, and Arrow's lists, count as the row that they hold.
            keys: one a sample: int (from 0 to 2**64 - 1), str or bytes, also mixed; samples may
                share one. Without keys a sample's content is its key, so that equal rows are masked
                alike.
            layers: for each name, one sequence a sample, as long as the sample: ints, floats or
                bools.

        Raises:
            TokenError: when rows, keys and layers do not fit together.
        """
        ids, offsets = flatten(rows)
        lengths = lengths_of(offsets).tolist()
        flat_annotations = {
            name: flat_annotation(name, layer, lengths) for name, layer in annotations.items()
        }
        return cls.from_flat(ids, offsets, keys, flat_annotations)

    @classmethod
    def from_flat(
        cls,
        ids: Any,
        offsets: Any,
        keys: Iterable[int | str | bytes] | UintArray | None = None,
        annotations: Mapping[str, Any] | None = None,
    ) -> TokenBatch:
        """Build a batch from flat ids and offsets; see :meth:`from_lists` for keys and layers."""
        if keys is None:
            ids, offsets = checked_rows(ids, offsets)  # before they are hashed
            return cls(
                ids, offsets, content_keys(ids, offsets), {} if annotations is None else annotations
            )
        return cls(ids, offsets, keys_of(keys), {} if annotations is None else annotations)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def lengths(self) -> IntArray:
        """The number of tokens of every sample: int64."""
        return lengths_of(self.offsets)

    def row(self, i: int) -> TokenBatch:
        """Sample i as a batch of its own."""
        a, b = self.offsets[i], self.offsets[i + 1]
        annotations = {name: layer[a:b] for name, layer in self.annotations.items()}
        return TokenBatch(self.ids[a:b], np.array([0, b - a]), self.keys[i : i + 1], annotations)

    def take(self, rows: IntArray) -> TokenBatch:
        """Some samples, in this order, as a batch of their own."""
        index, offsets = gather(self.offsets, rows)
        annotations = {name: layer[index] for name, layer in self.annotations.items()}
        return TokenBatch(self.ids[index], offsets, self.keys[rows], annotations)

    def rewritten(self, rows: Ragged) -> TokenBatch:
        """The batch that a replacement made of this one, for a further strategy to mask.

        Layers follow their tokens by ``rows.sources``; a token that is new begins a word, and has
        0 or False in every other layer.
        """
        annotations = dict(self.annotations)
        if rows.sources is not None:
            kept = rows.sources >= 0
            for name, layer in self.annotations.items():
                moved = np.full(len(rows.values), name == "word_starts").astype(layer.dtype)
                moved[kept] = layer[rows.sources[kept]]
                annotations[name] = moved
        return TokenBatch(rows.values, rows.offsets, self.keys, annotations)


def content_keys(ids: IntArray, offsets: IntArray) -> UintArray:
    """The key of every row by its content: uint64. Equal rows have equal keys."""
    from maskplug.kernels.philox import content_keys as hash_rows

    keys: UintArray = hash_rows(readonly(ids, np.int64), readonly(offsets, np.int64))
    return keys


@dataclass(frozen=True, eq=False)
class Selection:
    """Spans of tokens, sorted and disjoint, sample by sample.

    Attributes:
        starts: int64, positions in the batch's flat ``ids``.
        lengths: int64; 1 for single tokens, 0 where a strategy inserts.
        offsets: int64, one longer than there are samples: which spans belong to which sample.
        size: the number of tokens of the batch.
    """

    starts: IntArray
    lengths: IntArray
    offsets: IntArray
    size: int

    def __post_init__(self) -> None:
        for name in ("starts", "lengths", "offsets"):
            object.__setattr__(self, name, flat_integers(name, getattr(self, name), ResultError))
        if not len(self.offsets):
            raise ResultError("offsets are empty; they are one longer than there are samples")
        if not is_whole(self.size) or not 0 <= self.size <= COUNT:
            raise ResultError(
                f"size is {shortened(self.size)}; it must be the number of tokens of the batch"
            )

    @classmethod
    def from_mask(cls, mask: BoolArray, tokens: TokenBatch) -> Selection:
        """A selection of single tokens: True = chosen, one value for each of the batch's tokens.

        Raises:
            ResultError: when the mask has another length than the batch has tokens, or holds
                something else than numbers or bools.
        """
        from maskplug.kernels.units import single_units

        mask = check_annotation("mask", mask, len(tokens.ids), "the mask", ResultError)
        starts = np.empty(len(mask), np.int64)
        offsets = single_units(readonly(mask, np.bool_), tokens.offsets, starts)
        return cls(starts[: offsets[-1]], ones(offsets[-1]), offsets, len(mask))

    @property
    def spans(self) -> tuple[IntArray, IntArray, IntArray]:
        """``starts``, ``lengths`` and ``offsets``, in the order of kernel arguments."""
        return self.starts, self.lengths, self.offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def counts(self) -> IntArray:
        """The number of spans of every sample: int64."""
        return lengths_of(self.offsets)

    @cached_property
    def rows(self) -> IntArray:
        """The sample of every span: int64."""
        return np.repeat(np.arange(len(self)), self.counts)

    @cached_property
    def numbers(self) -> IntArray:
        """The number of every span in its sample, from 0: int64."""
        return np.arange(len(self.starts)) - np.repeat(self.offsets[:-1], self.counts)

    @cached_property
    def mask(self) -> BoolArray:
        """One bool for each token of the batch: True = chosen.

        Raises:
            TokenError: when a span reaches out of the batch.
        """
        self._check_ends()
        edges = np.zeros(self.size + 1, np.int8)
        if (self.lengths == 1).all():
            edges[self.starts] = 1
            return readonly(edges[:-1].view(np.bool_), np.bool_)
        np.add.at(edges, self.starts, 1)
        np.add.at(edges, self.starts + self.lengths, -1)
        return readonly(np.cumsum(edges[:-1], dtype=np.int8).view(np.bool_), np.bool_)

    def _check_ends(self) -> None:
        fit = len(self.starts) == len(self.lengths)
        for numbers in (self.starts, self.lengths):
            fit = fit and not (
                len(numbers) and not 0 <= numbers.min() <= numbers.max() <= self.size
            )
        if not fit or (len(self.starts) and (self.starts + self.lengths).max() > self.size):
            raise TokenError(
                f"{len(self.starts)} starts and {len(self.lengths)} lengths are not those of spans "
                f"within {self.size} tokens"
            )

    def check(self, tokens: TokenBatch) -> None:
        """Refuse a selection that is not one of this batch: kernels write by it without looking.

        Raises:
            ResultError: when rows do not fit, or spans overlap, are not sorted, or leave their row.
        """
        from maskplug.kernels.units import rising, unsound_span

        if (
            self.size != len(tokens.ids)
            or len(self) != len(tokens)
            or len(self.starts) != len(self.lengths)
            or not rising(self.offsets, len(self.starts))
        ):
            raise ResultError(
                f"a selection of {len(self)} rows, {len(self.starts)} starts and "
                f"{len(self.lengths)} lengths, out of {self.size} tokens, does not fit a batch of "
                f"{len(tokens)} samples and {len(tokens.ids)} tokens"
            )
        k = unsound_span(self.starts, self.lengths, self.offsets, tokens.offsets)
        if k >= 0:
            row = int(self.rows[k])
            raise ResultError(
                f"the span of {self.lengths[k]} tokens at {self.starts[k] - tokens.offsets[row]} "
                f"in sample {row} (of {tokens.lengths[row]} tokens) is outside the sample, or "
                "begins before the end of the span before it; build selections with "
                "candidates.take(chosen) or Selection.from_mask"
            )

    def take(self, chosen: BoolArray) -> Selection:
        """The spans where ``chosen`` (one bool a span) is True.

        Raises:
            ResultError: when there is not one bool for each span.
        """
        from maskplug.kernels.units import take_units

        if len(chosen) != len(self.starts):
            raise ResultError(f"{len(chosen)} bools came to choose from {len(self.starts)} spans")
        kept = take_units(readonly(chosen, np.bool_), self.starts, self.lengths, self.offsets)
        return Selection(*kept, self.size)


#: What a result's layer holds where it says nothing (padding, tokens that are new, rows of another
#: strategy), unless that is 0: not predicted in any order; in no block.
ABSENT: Mapping[str, int] = {"order": -1, "block": -1}


@dataclass(frozen=True, eq=False)
class Masked:
    """What a strategy returns.

    Attributes:
        inputs: what the model reads, int64.
        selection: which tokens of the original were chosen.
        labels: what to predict at each input: the original id where chosen, -100 elsewhere; None
            for objectives without labels in place.
        targets: what to generate, of any length; None for objectives in place.
        weights: the weight of each label's loss (float64, one for each label, 0 where nothing is
            predicted); None where all count alike.
        divisors: what the weighted sum of a sample's losses is divided by (int64, one a sample):
            how many of its tokens could have been masked; None where weights do not ask for it.
        layers: further arrays, one value for each input: ``position_ids``, ``order``, ….
        target_layers: further arrays, one value for each target.
    """

    inputs: Ragged
    selection: Selection
    labels: Ragged | None = None
    targets: Ragged | None = None
    weights: FloatArray | None = None
    annotations: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)
    target_annotations: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)
    divisors: IntArray | None = None

    def __post_init__(self) -> None:
        for name, rows in (("labels", self.labels), ("targets", self.targets)):
            if not (rows is None or isinstance(rows, Ragged)):
                raise ResultError(f"{name} are a {type(rows).__name__}, not maskplug.Ragged rows")
        if self.weights is not None:
            object.__setattr__(self, "weights", readonly(self.weights, np.float64))
            if self.labels is None or len(self.weights) != len(self.labels.values):
                raise TokenError("weights need labels, and there is one for each of them")
        if self.divisors is not None:
            object.__setattr__(self, "divisors", readonly(self.divisors, np.int64))
            if self.weights is None or len(self.divisors) != len(self.inputs):
                raise TokenError("divisors need weights, and there is one for each sample")
        for name, rows in (("annotations", self.inputs), ("target_annotations", self.targets)):
            given = getattr(self, name)
            kept = {n: readonly(v, np.asarray(v).dtype.type) for n, v in given.items()}
            for layer, values in kept.items():
                if rows is None or len(values) != len(rows.values):
                    size = 0 if rows is None else len(rows.values)
                    raise TokenError(f"{name} {layer!r} has {len(values)} values for {size} ids")
            object.__setattr__(self, name, MappingProxyType(kept))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), _arguments(self)  # so that copies are read-only as well


def _arguments(value: TokenBatch | Masked) -> tuple[Any, ...]:
    """The fields of a value in their order, with mappings that can be pickled."""
    values = (getattr(value, item.name) for item in fields(value))
    return tuple(dict(v) if isinstance(v, MappingProxyType) else v for v in values)
