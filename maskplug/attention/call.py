"""One call of attention: lengths, time, and annotations of the tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from maskplug.attention.intervals import Intervals
from maskplug.context import MaskingContext
from maskplug.errors import OptionError, TokenError, shortened
from maskplug.parts import Clock, Schedule
from maskplug.rng import Rng
from maskplug.types import BoolArray, FloatArray, IntArray, integers, readonly
from maskplug.validation.options import HEADS, SIZE, check_argument

Scalar = TypeVar("Scalar", bound=np.generic)
AttentionKind = Literal["encoder", "decoder", "cross"]
ATTENTION_KINDS = ("encoder", "decoder", "cross")
#: Annotations that hold sample keys: uint64, stored as the int64 with the same bits.
SAMPLE_KEYS = frozenset({"document_keys"})


@dataclass(frozen=True, eq=False)
class AttentionCall:
    """The arguments of a pattern: one call of attention for a batch.

    Patterns count positions in each sample's own tokens, from its first real token, so that a mask
    depends neither on padding on the left nor on a cache. ``q``, ``k``, ``starts`` and ``lengths``
    give these positions; :meth:`intervals` converts them to positions in the padded row.

    Attributes:
        q_len, kv_len: number of queries and keys, padding included.
        context: seed, epoch, step, progress and key of every sample.
        heads: number of heads; 1 if they need no masks of their own.
        offset: number of tokens before the first query (decoding with a cache). In self-attention
            this is the key at the first query's position; in cross attention it counts tokens of
            the decoder, whose annotations include them.
        attention_kind: "encoder" and "decoder" are self-attention; in "cross", queries are the
            decoder's tokens and keys the encoder's.
        layer_idx: index of the network layer, from 0. It is 0 for patterns that do not declare
            ``reads_layer_idx``.
        annotations: per-token data by name: one value per key, of shape (kv_len,) or (batch,
            kv_len), unless the pattern documents another shape.
    """

    q_len: int
    kv_len: int
    context: MaskingContext
    heads: int = 1
    offset: int = 0
    attention_kind: AttentionKind = "encoder"
    layer_idx: int = 0
    annotations: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("q_len", "kv_len", "offset"):
            check_argument(name, getattr(self, name), 0, SIZE)
        check_argument("heads", self.heads, 1, HEADS)
        check_argument("layer_idx", self.layer_idx, 0)
        if not isinstance(self.attention_kind, str) or self.attention_kind not in ATTENTION_KINDS:
            raise OptionError(
                f"attention_kind is {shortened(self.attention_kind)}; "
                f"choices: {', '.join(ATTENTION_KINDS)}"
            )
        if not self.cross and self.q_end > self.kv_len:
            raise OptionError(
                f"{self.q_len} queries from key {self.offset} on need {self.q_end} keys, but "
                f"kv_len is {self.kv_len}; in cross attention (attention_kind='cross') the lengths "
                "are independent"
            )

    @property
    def cross(self) -> bool:
        """Whether queries and keys are different tokens."""
        return self.attention_kind == "cross"

    @cached_property
    def in_first_layer(self) -> AttentionCall:
        """The same call in network layer 0."""
        return replace(self, layer_idx=0) if self.layer_idx else self

    def require_cross(self, who: str) -> None:
        """Raise an OptionError in self-attention; ``who`` is the pattern."""
        if not self.cross:
            raise OptionError(
                f"pattern {who!r} is for cross attention (attention_kind='cross'), from target to "
                f"source tokens, not for self-attention (attention_kind={self.attention_kind!r})"
            )

    def refuse_cross(self, who: str, why: str) -> None:
        """Raise an OptionError in cross attention, with the pattern and the reason."""
        if self.cross:
            raise OptionError(
                f"pattern {who!r} is for self-attention only: in cross attention {why}"
            )

    @property
    def batch(self) -> int:
        """The number of samples."""
        return len(self.context)

    def rng(self, clock: Clock) -> Rng:
        """Return the random numbers of every sample at the time given by the clock."""
        return self.context.rng(clock)

    def value(self, option: Schedule | int) -> IntArray:
        """Return an integer option, which may be a schedule: int64 of shape (batch or 1, 1, 1).

        A schedule's value is rounded to the nearest integer.
        """
        if not isinstance(option, Schedule):
            return np.full((1, 1, 1), option, np.int64)
        values = np.floor(option(self.context.progress) + 0.5).astype(np.int64)
        return merge_equal(values)[:, None, None]

    def real_value(self, option: Schedule | float) -> FloatArray:
        """Return any numeric option, not rounded: float64 of shape (batch or 1, 1, 1)."""
        if not isinstance(option, Schedule):
            return np.full((1, 1, 1), float(option))
        return merge_equal(option(self.context.progress))[:, None, None]

    def share(self, option: Schedule | float) -> FloatArray:
        """Return a numeric option, which may be a schedule: float64, one per sample."""
        return np.broadcast_to(self.real_value(option)[:, 0, 0], self.batch)

    def per_token(self, name: str, who: str, length: int | None = None) -> IntArray:
        """Return an annotation with one value per token: int64 of shape (batch or 1, length).

        Args:
            name: the annotation.
            who: the pattern that reads it, for messages.
            length: number of values; ``kv_len`` by default.

        Raises:
            TokenError: if it is missing, not integer, or has the wrong shape.
        """
        array = self._integers(name, who)
        length = self.kv_len if length is None else length
        array = array[None] if array.ndim == 1 else array
        if array.ndim != 2 or len(array) not in (1, self.batch) or array.shape[1] != length:
            raise TokenError(
                f"annotation {name!r} has shape {array.shape}; pattern {who!r} needs one value per "
                f"token: ({self.batch}, {length})"
            )
        return array

    def per_sample(self, name: str, who: str) -> IntArray:
        """Return an annotation with one value per sample: int64 of shape (batch or 1,).

        It may also be given as a column, (batch, 1), which tells a renderer the batch size.

        Raises:
            TokenError: if it is missing, not integer, or has the wrong shape.
        """
        array = np.atleast_1d(self._integers(name, who))
        column = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
        if column.ndim != 1 or len(column) not in (1, self.batch):
            raise TokenError(
                f"annotation {name!r} has shape {array.shape}; pattern {who!r} needs one value per "
                f"sample: ({self.batch},), or (samples, 1) to set the number of samples"
            )
        return column

    def pairs(self, name: str, who: str) -> tuple[IntArray, IntArray, IntArray]:
        """Return an annotation that holds any number of pairs per sample.

        It is a list of pairs for each sample, or an array of shape (batch, max pairs, 2) padded
        with (-1, -1); a single entry is used for all samples.

        Returns:
            Sample, first and second number of each pair: int64, in the order of the samples.

        Raises:
            TokenError: if it is missing, or has the wrong shape.
        """
        value = self._annotation(name, who)
        entries = list(value) if np.iterable(value) else []
        expected = f"pattern {who!r} needs a list of pairs per sample: [[(0, 0), (1, 2)], …]"
        if len(entries) not in (1, self.batch):
            raise TokenError(
                f"annotation {name!r} has {len(entries)} entries for {self.batch} samples; "
                f"{expected}"
            )
        rows = []
        for sample, entry in enumerate(entries):
            pairs = _pairs(entry)
            if pairs is None:
                raise TokenError(
                    f"annotation {name!r} of sample {sample} is {shortened(entry)}; {expected}"
                )
            rows.append(pairs[(pairs != -1).any(1)])
        rows *= self.batch if len(rows) == 1 else 1
        first, second = np.concatenate(rows).T if rows else np.zeros((2, 0), np.int64)
        return np.repeat(np.arange(self.batch), [len(row) for row in rows]), first, second

    def _integers(self, name: str, who: str) -> IntArray:
        value = self._annotation(name, who)
        try:
            array = np.asarray(value)
        except Exception:  # numpy calls methods of the object, which may raise anything
            raise TokenError(
                f"annotation {name!r} is {shortened(value)}; it must hold integers"
            ) from None
        if array.dtype.kind == "b":
            return array.astype(np.int64)
        if array.dtype == np.uint64 and name in SAMPLE_KEYS:
            return np.ascontiguousarray(array).view(np.int64)
        whole = integers(array)
        if whole is None:
            raise TokenError(f"annotation {name!r} is {array.dtype}; it must hold integers")
        return whole

    def _annotation(self, name: str, who: str) -> Any:
        if name not in self.annotations:
            available = ", ".join(map(repr, self.annotations)) or "none"
            raise TokenError(
                f"pattern {who!r} needs the annotation {name!r}, which is missing (available: "
                f"{available}); 'maskplug list {who}' describes it"
            )
        return self.annotations[name]

    def _real(self, name: str, length: int) -> BoolArray:
        if name not in self.annotations:
            return np.ones((1, length), np.bool_)
        return np.not_equal(self.per_token(name, "padding", length), 0)

    @cached_property
    def valid(self) -> BoolArray:
        """The real tokens among the keys: bool of shape (batch or 1, kv_len), False = padding."""
        return self._real("valid", self.kv_len)

    @property
    def q_end(self) -> int:
        """The number of tokens up to the last query: the length of the queries' annotations."""
        return self.offset + self.q_len

    @cached_property
    def valid_to_q_end(self) -> BoolArray:
        """The real tokens up to the last query: bool of shape (batch or 1, q_end)."""
        if not self.cross:
            return self.valid[:, : self.q_end]
        return self._real("valid_queries", self.q_end)

    @property
    def valid_queries(self) -> BoolArray:
        """The real tokens among the queries: bool of shape (batch or 1, q_len)."""
        return self.valid_to_q_end[:, self.offset :]

    @cached_property
    def starts(self) -> IntArray:
        """The index of each sample's first real key: int64 of shape (batch or 1,)."""
        return _first(self.valid)

    @cached_property
    def lengths(self) -> IntArray:
        """The number of keys from the first real one to the last: int64 of shape (batch or 1,)."""
        return _span(self.valid)

    @cached_property
    def query_starts(self) -> IntArray:
        """The index of each sample's token 0 among the queries: int64 of shape (batch or 1,).

        Negative if token 0 is before the first query.
        """
        return (_first(self.valid_to_q_end) if self.cross else self.starts) - self.offset

    @cached_property
    def query_lengths(self) -> IntArray:
        """The number of tokens from token 0 to the last real query: int64, (batch or 1,)."""
        return _span(self.valid_to_q_end)

    @cached_property
    def q(self) -> IntArray:
        """Each query's position among its sample's own tokens: int64, (batch or 1, 1, q_len).

        Negative for padding on the left. In cross attention it counts the decoder's tokens.
        """
        return (np.arange(self.q_len) - self.query_starts[:, None])[:, None]

    @cached_property
    def k(self) -> IntArray:
        """Each key's position among its sample's own tokens: int64, (batch or 1, kv_len)."""
        return np.arange(self.kv_len) - self.starts[:, None]

    @property
    def in_sample(self) -> BoolArray:
        """The keys from the first real one to the last: bool of shape (batch or 1, kv_len)."""
        return (self.k >= 0) & (self.k < self.lengths[:, None])

    @property
    def q_slice(self) -> slice:
        """The queries' positions among the keys, in self-attention."""
        return slice(self.offset, self.q_end)

    def name_of(self, sample: int) -> str:
        """Return the name of a sample in messages."""
        return f"sample {sample}"

    def intervals(self, *pairs: tuple[Any, Any]) -> Intervals:
        """Return intervals from pairs (lo, hi) of positions among the sample's own tokens.

        Args:
            pairs: integers or arrays that broadcast to (batch, heads, q_len); intervals may
                overlap, be empty, or exceed the sample.
        """
        start = self.starts[:, None, None]
        moved = [np.asarray(side) + start for pair in pairs for side in pair]
        sides = np.broadcast_arrays(*moved, np.empty((1, 1, self.q_len)))[:-1]
        return Intervals.of(self.kv_len, np.stack(sides[::2], -1), np.stack(sides[1::2], -1))


def merge_equal(values: NDArray[Scalar]) -> NDArray[Scalar]:
    """Return one value instead of many equal ones, so that masks are computed once for all."""
    return values[:1] if len(values) and (values == values[0]).all() else values


def _first(valid: BoolArray) -> IntArray:
    """Return the index of the first True in each row; 0 if there is none."""
    return readonly(valid.argmax(1) if valid.shape[1] else np.zeros(len(valid)), np.int64)


def _span(valid: BoolArray) -> IntArray:
    """Return the number of items from the first True of each row to the last; 0 without one."""
    end = valid.shape[1] - _first(valid[:, ::-1])
    return np.where(valid.any(1), end - _first(valid), 0)


def _pairs(entry: Any) -> IntArray | None:
    """Return pairs as int64 of shape (pairs, 2); None if they are something else."""
    array = integers(entry)
    if array is None or not array.size:
        return array if array is None else np.zeros((0, 2), np.int64)
    return array if array.ndim == 2 and array.shape[1] == 2 else None
