"""The ragged arrays of a strategy: TokenBatch (input), Selection (intermediate), Masked (output).

All hold flat arrays and row offsets, as Arrow list columns do, and are read-only.
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
    """Samples to mask: ids, row offsets, one key per sample, and annotations aligned with the ids.

    Attributes:
        ids: int64, the concatenated ids of all samples.
        offsets: int64, number of samples + 1.
        keys: uint64, one per sample.
        annotations: arrays of the length of ``ids``. ``word_starts`` (bool, True = first token of a
            word) and ``sentence_starts`` (bool, True = first token of a sentence) override the
            vocabulary; ``protected`` (bool, True = never masked) adds to its special ids. For
            others see :attr:`Strategy.required_annotations`.

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
        return type(self), _arguments(self)  # keeps copies read-only

    @classmethod
    def from_lists(
        cls,
        rows: Sequence[Any],
        keys: Iterable[int | str | bytes] | UintArray | None = None,
        **annotations: Sequence[Any],
    ) -> TokenBatch:
        """Build a batch from rows of ids.

        Args:
            rows: one list, tuple, integer array or Arrow list per sample, also empty. Arrays of
                shape (1, length) are flattened.
            keys: one per sample: int (0 to 2**64 - 1), str or bytes; duplicates are allowed. By
                default the content of a sample is its key: equal rows have equal masks.
            annotations: per name, one sequence of ints, floats or bools per sample, one value per
                token.

        Raises:
            TokenError: when rows, keys and annotations do not match.
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
        """Build a batch from flat ids and offsets; see :meth:`from_lists`."""
        if keys is None:
            ids, offsets = checked_rows(ids, offsets)  # before they are hashed
            keys = content_keys(ids, offsets)
        return cls(ids, offsets, keys_of(keys), {} if annotations is None else annotations)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def lengths(self) -> IntArray:
        """The number of tokens per sample: int64."""
        return lengths_of(self.offsets)

    def row(self, i: int) -> TokenBatch:
        """Return sample i as a batch."""
        return self.take(np.array([i]))

    def take(self, rows: IntArray) -> TokenBatch:
        """Return a batch of some samples, in this order."""
        index, offsets = gather(self.offsets, rows)
        annotations = {name: layer[index] for name, layer in self.annotations.items()}
        return TokenBatch(self.ids[index], offsets, self.keys[rows], annotations)

    def rewritten(self, rows: Ragged) -> TokenBatch:
        """Return the batch after a replacement, so that another strategy can mask it.

        Annotations move with their tokens (``rows.sources``). A new token starts a word and has
        0 or False in every other annotation.
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
    """Return a key per row that depends on its content only: uint64."""
    from maskplug.kernels.philox import content_keys as hash_rows

    keys: UintArray = hash_rows(readonly(ids, np.int64), readonly(offsets, np.int64))
    return keys


@dataclass(frozen=True, eq=False)
class Selection:
    """Sorted, disjoint spans of tokens per sample.

    Attributes:
        starts: int64, positions in the batch's flat ``ids``.
        lengths: int64; 0 for an insertion before ``start``.
        offsets: int64, number of samples + 1: the spans of each sample.
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
        """Build a selection of single tokens from one bool per token, True = selected.

        Raises:
            ResultError: when the mask is not numeric or not of the length of ``tokens.ids``.
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
        """The number of spans per sample: int64."""
        return lengths_of(self.offsets)

    @cached_property
    def rows(self) -> IntArray:
        """The sample of each span: int64."""
        return np.repeat(np.arange(len(self)), self.counts)

    @cached_property
    def numbers(self) -> IntArray:
        """The index of each span in its sample, from 0: int64."""
        return np.arange(len(self.starts)) - np.repeat(self.offsets[:-1], self.counts)

    @cached_property
    def mask(self) -> BoolArray:
        """One bool per token of the batch: True = selected.

        Raises:
            TokenError: when a span ends outside the batch.
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
        """Raise unless the selection is valid for a batch; kernels do not check bounds.

        Raises:
            ResultError: when sizes differ, or spans overlap, are not sorted, or cross a row.
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
        """Return the spans where ``chosen`` (one bool per span) is True.

        Raises:
            ResultError: when the lengths differ.
        """
        from maskplug.kernels.units import take_units

        if len(chosen) != len(self.starts):
            raise ResultError(f"{len(chosen)} bools for {len(self.starts)} spans")
        kept = take_units(readonly(chosen, np.bool_), self.starts, self.lengths, self.offsets)
        return Selection(*kept, self.size)


#: Fill values of result annotations (padding, new tokens, rows of another strategy) other than 0.
ABSENT: Mapping[str, int] = {"order": -1, "block": -1}
NO_ANNOTATIONS: Mapping[str, np.ndarray[Any, Any]] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Masked:
    """What a strategy returns.

    Attributes:
        inputs: input ids of the model, int64.
        selection: the selected tokens of the original batch.
        labels: aligned with the inputs: the original id where selected, -100 elsewhere; None for
            sequence-to-sequence objectives.
        targets: sequences to generate, of any length; None for objectives with labels.
        weights: loss weight per label (float64, 0 where nothing is predicted); None for equal
            weights.
        divisors: per sample, the divisor of the weighted sum of losses (int64): the number of its
            maskable tokens; None for objectives without one.
        annotations: further arrays with one value per input: ``position_ids``, ``order``, ….
        target_annotations: further arrays with one value per target.
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
                raise TokenError("weights need labels, one weight per label")
        if self.divisors is not None:
            object.__setattr__(self, "divisors", readonly(self.divisors, np.int64))
            if self.weights is None or len(self.divisors) != len(self.inputs):
                raise TokenError("divisors need weights, one divisor per sample")
        for name, rows in (("annotations", self.inputs), ("target_annotations", self.targets)):
            annotations = getattr(self, name)
            if annotations == {}:
                object.__setattr__(self, name, NO_ANNOTATIONS)
                continue
            kept = {n: readonly(v, np.asarray(v).dtype.type) for n, v in annotations.items()}
            for layer, values in kept.items():
                if rows is None or len(values) != len(rows.values):
                    size = 0 if rows is None else len(rows.values)
                    raise TokenError(f"{name} {layer!r} has {len(values)} values for {size} ids")
            object.__setattr__(self, name, MappingProxyType(kept))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), _arguments(self)  # keeps copies read-only


def _arguments(value: TokenBatch | Masked) -> tuple[Any, ...]:
    """Return the field values in order, with mappings that can be pickled."""
    values = (getattr(value, item.name) for item in fields(value))
    return tuple(dict(v) if isinstance(v, MappingProxyType) else v for v in values)
