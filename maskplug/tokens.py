"""The ragged arrays that flow through a strategy: TokenBatch in, Selection between, Masked out.

All of them hold flat arrays and row offsets, as an Arrow list column does, and are read-only.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from maskplug.arrays import (
    BoolArray,
    FloatArray,
    IntArray,
    UintArray,
    frozen,
    lengths_of,
    offsets_of,
)
from maskplug.errors import TokenError
from maskplug.rng import keys_of


def flatten(rows: Sequence[Any]) -> tuple[IntArray, IntArray]:
    """Rows of integers (lists, arrays, anything sized) as flat int64 ids and int64 offsets.

    Raises:
        TokenError: for a row that does not hold integers; the message says which.
    """
    offsets = offsets_of([len(row) for row in rows])
    flat = np.empty(offsets[-1], np.int64)
    view = memoryview(flat.data).cast("B")
    for i, (row, start) in enumerate(zip(rows, offsets.tolist(), strict=False)):
        try:
            if isinstance(row, list | tuple):
                # struct writes a Python list twice as fast as any constructor of numpy reads one.
                struct.pack_into(f"{len(row)}q", view, 8 * start, *row)
            elif len(row):  # an empty array is one of floats unless it was told otherwise
                flat[offsets[i] : offsets[i + 1]] = np.asarray(row).astype(np.int64, casting="safe")
        except (struct.error, TypeError, ValueError) as error:
            raise TokenError(f"row {i} does not hold integers only: {error}") from error
    return flat, offsets


@dataclass(frozen=True, eq=False)
class Ragged:
    """Rows of different lengths in one flat array.

    Attributes:
        values: int64 (or float64 for weights), all rows one after the other.
        offsets: int64, one longer than there are rows; row i is
            ``values[offsets[i]:offsets[i + 1]]``.

    Example:
        >>> Ragged(np.array([1, 2, 3]), np.array([0, 2, 3])).to_lists()
        [[1, 2], [3]]
    """

    values: np.ndarray[Any, Any]
    offsets: IntArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozen(self.values, self.values.dtype.type))
        object.__setattr__(self, "offsets", frozen(self.offsets, np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __iter__(self) -> Iterator[np.ndarray[Any, Any]]:
        return (self.values[a:b] for a, b in zip(self.offsets, self.offsets[1:], strict=False))

    @cached_property
    def lengths(self) -> IntArray:
        """The length of every row: int64."""
        return lengths_of(self.offsets)

    def to_lists(self) -> list[list[Any]]:
        """The rows as Python lists, for a person to read."""
        return [row.tolist() for row in self]


def _checked(ids: Any, offsets: Any) -> tuple[IntArray, IntArray]:
    """Flat ids and offsets, or a TokenError: kernels read memory by them without looking."""
    for name, array in (("ids", np.asarray(ids)), ("offsets", np.asarray(offsets))):
        if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
            raise TokenError(
                f"{name} are {array.ndim}-dimensional {array.dtype}; they must be a flat array of "
                "integers"
            )
    ids, offsets = frozen(ids, np.int64), frozen(offsets, np.int64)
    if (
        not len(offsets)
        or offsets[0] != 0
        or offsets[-1] != len(ids)
        or (lengths_of(offsets) < 0).any()
    ):
        raise TokenError(f"offsets must rise from 0 to {len(ids)}, the number of ids")
    return ids, offsets


@dataclass(frozen=True, eq=False)
class TokenBatch:
    """Samples to be masked: ids, row offsets, one key a sample, and layers aligned with the ids.

    Attributes:
        ids: int64, all samples one after the other.
        offsets: int64, one longer than there are samples.
        keys: uint64, one a sample.
        layers: arrays of the length of ``ids``. ``word_starts`` (bool, True where a word begins)
            replaces the vocabulary's table; ``protected`` (bool, True = never masked) adds to it.

    Example:
        >>> tokens = TokenBatch.from_lists([[2, 17, 88, 3], [2, 5, 3]], keys=["doc-1", "doc-2"])
        >>> len(tokens), tokens.ids.tolist()
        (2, [2, 17, 88, 3, 2, 5, 3])
    """

    ids: IntArray
    offsets: IntArray
    keys: UintArray
    layers: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ids, offsets = _checked(self.ids, self.offsets)
        object.__setattr__(self, "ids", ids)
        object.__setattr__(self, "offsets", offsets)
        object.__setattr__(self, "keys", frozen(self.keys, np.uint64))
        if len(self.keys) != len(self):
            raise TokenError(
                f"{len(self)} samples came with {len(self.keys)} keys: one each, please"
            )
        kept = {}
        for name, layer in self.layers.items():
            kept[name] = frozen(layer, np.asarray(layer).dtype.type)
            if len(kept[name]) != len(self.ids):
                raise TokenError(
                    f"layer {name!r} has {len(kept[name])} values for {len(self.ids)} tokens"
                )
        object.__setattr__(self, "layers", kept)

    @classmethod
    def from_lists(
        cls,
        rows: Sequence[Any],
        keys: Iterable[int | str | bytes] | UintArray | None = None,
        **layers: Sequence[Any],
    ) -> TokenBatch:
        """Build a batch from rows of ids (lists or integer arrays).

        Args:
            rows: one sequence of ids a sample; empty ones are allowed.
            keys: one a sample: int, str or bytes. Without keys a sample's content is its key, so
                that equal rows are masked alike.
            layers: for each name, one sequence a sample, as long as the sample.

        Raises:
            TokenError: when rows, keys and layers do not fit together.
        """
        ids, offsets = flatten(rows)
        flat_layers: dict[str, Any] = {}
        for name, layer in layers.items():
            for i, (row, extra) in enumerate(zip(rows, layer, strict=False)):
                if len(row) != len(extra):
                    raise TokenError(
                        f"layer {name!r} has {len(extra)} values for the {len(row)} tokens "
                        f"of row {i}"
                    )
            flat_layers[name] = np.concatenate([np.asarray(x) for x in layer]) if len(rows) else []
        return cls.from_flat(ids, offsets, keys, flat_layers)

    @classmethod
    def from_flat(
        cls,
        ids: Any,
        offsets: Any,
        keys: Iterable[int | str | bytes] | UintArray | None = None,
        layers: Mapping[str, Any] | None = None,
    ) -> TokenBatch:
        """Build a batch from flat ids and offsets; see :meth:`from_lists` for keys and layers."""
        if keys is None:
            ids, offsets = _checked(ids, offsets)  # before they are hashed
            return cls(ids, offsets, content_keys(ids, offsets), layers or {})
        return cls(ids, offsets, keys_of(keys), layers or {})

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def lengths(self) -> IntArray:
        """The number of tokens of every sample: int64."""
        return lengths_of(self.offsets)

    def row(self, i: int) -> TokenBatch:
        """Sample i as a batch of its own."""
        a, b = self.offsets[i], self.offsets[i + 1]
        layers = {name: layer[a:b] for name, layer in self.layers.items()}
        return TokenBatch(self.ids[a:b], np.array([0, b - a]), self.keys[i : i + 1], layers)


def content_keys(ids: IntArray, offsets: IntArray) -> UintArray:
    """The key of every row by its content: uint64. Equal rows have equal keys."""
    from maskplug.kernels.philox import content_keys as hash_rows

    keys: UintArray = hash_rows(frozen(ids, np.int64), frozen(offsets, np.int64))
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
            object.__setattr__(self, name, frozen(getattr(self, name), np.int64))

    @classmethod
    def from_mask(cls, mask: BoolArray, tokens: TokenBatch) -> Selection:
        """A selection of single tokens: True = chosen, one value for each of the batch's tokens.

        Raises:
            TokenError: when the mask has another length than the batch has tokens.
        """
        if len(mask) != len(tokens.ids):
            raise TokenError(f"the mask has {len(mask)} values for {len(tokens.ids)} tokens")
        from maskplug.kernels.units import single_units

        return cls(*single_units(frozen(mask, np.bool_), tokens.offsets), len(mask))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def counts(self) -> IntArray:
        """The number of spans of every sample: int64."""
        return lengths_of(self.offsets)

    @cached_property
    def mask(self) -> BoolArray:
        """One bool for each token of the batch: True = chosen."""
        edges = np.zeros(self.size + 1, np.int8)
        if (self.lengths == 1).all():
            edges[self.starts] = 1
            return frozen(edges[:-1].view(np.bool_), np.bool_)
        np.add.at(edges, self.starts, 1)
        np.add.at(edges, self.starts + self.lengths, -1)
        return frozen(np.cumsum(edges[:-1], dtype=np.int8).view(np.bool_), np.bool_)

    def take(self, chosen: BoolArray) -> Selection:
        """The spans where ``chosen`` (one bool a span) is True."""
        from maskplug.kernels.units import take_units

        kept = take_units(frozen(chosen, np.bool_), self.starts, self.lengths, self.offsets)
        return Selection(*kept, self.size)


@dataclass(frozen=True, eq=False)
class Masked:
    """What a strategy returns.

    Attributes:
        inputs: what the model reads, int64.
        selection: which tokens of the original were chosen.
        labels: what to predict at each input: the original id where chosen, -100 elsewhere; None
            for objectives without labels in place.
        targets: what to generate, of any length; None for objectives in place.
        weights: the weight of each sample's or token's loss, where the objective has them.
    """

    inputs: Ragged
    selection: Selection
    labels: Ragged | None = None
    targets: Ragged | None = None
    weights: FloatArray | None = None
