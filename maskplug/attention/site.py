"""Where and when attention is asked for: all that a pattern may know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from maskplug.attention.intervals import Intervals
from maskplug.context import MaskingContext
from maskplug.errors import OptionError, TokenError, shortened
from maskplug.parts import Clock, Schedule
from maskplug.rng import Rng
from maskplug.types import BoolArray, FloatArray, IntArray, integers, readonly
from maskplug.validation.options import HEADS, SIZE, check_argument

if TYPE_CHECKING:
    from maskplug.attention.documents import Documents

AttentionKind = Literal["encoder", "decoder", "cross"]
ATTENTION_KINDS = ("encoder", "decoder", "cross")
#: Layers of sample keys: int64 holds the bits of their uint64.
KEYS = frozenset({"document_keys"})


@dataclass(frozen=True, eq=False)
class AttentionCall:
    """One use of attention. Patterns count in each sample's own tokens, from its first real one.

    So neither padding on the left nor a cache moves a mask. ``q``, ``starts`` and ``lengths`` say
    where a sample stands in the padded row; :meth:`intervals` brings its own counting back.

    Attributes:
        queries, keys: their numbers, padding included.
        when: seed, epoch, step, progress and key of every sample.
        heads: how many there are; 1 where nothing is to differ between them.
        offset: how many tokens stand before the first query: in self-attention that is the key at
            which it stands, in cross attention they are the decoder's, whose layers go on.
        place: "encoder" and "decoder" are self-attention; in "cross", queries are the decoder's
            tokens and keys the encoder's.
        depth: the number of the model's layer, from 0.
        layers: what is known of the tokens, by name: one value a key, of shape (keys,) or (batch,
            keys), unless a pattern says otherwise.
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
        """Refuse numbers that contradict each other."""
        for name in ("q_len", "kv_len", "offset"):
            check_argument(name, getattr(self, name), 0, SIZE)
        check_argument("heads", self.heads, 1, HEADS)
        check_argument("layer_idx", vars(self)["layer_idx"], 0)  # not asked for by the pattern
        if not isinstance(self.attention_kind, str) or self.attention_kind not in ATTENTION_KINDS:
            raise OptionError(
                f"attention_kind is {shortened(self.attention_kind)}; choices: {', '.join(ATTENTION_KINDS)}"
            )
        if not self.cross and self.offset + self.q_len > self.kv_len:
            raise OptionError(
                f"{self.q_len} queries from key {self.offset} on need "
                f"{self.offset + self.q_len} keys, and there are {self.kv_len}; in cross "
                "attention (attention_kind='cross') the numbers are independent"
            )

    @property
    def cross(self) -> bool:
        """Whether queries and keys are different tokens."""
        return self.attention_kind == "cross"

    @property
    def batch(self) -> int:
        """The number of samples."""
        return len(self.context)

    def rng(self, clock: Clock) -> Rng:
        """The draws of every sample at the time that this clock tells."""
        return self.context.rng(clock)

    def value(self, option: Schedule | int) -> IntArray:
        """An option of whole numbers, which may be a schedule: int64 of shape (batch or 1, 1, 1).

        A schedule's value is rounded to the nearest whole number.
        """
        if not isinstance(option, Schedule):
            return np.full((1, 1, 1), option, np.int64)
        values = np.floor(option(self.context.progress) + 0.5).astype(np.int64)
        same = len(values) and (values == values[0]).all()
        return (values[:1] if same else values)[:, None, None]

    def share(self, option: Schedule | float) -> FloatArray:
        """An option that is a number or a schedule: float64, one for each sample."""
        if isinstance(option, Schedule):
            return option(self.context.progress)
        return np.full(self.batch, float(option))

    def per_token(self, name: str, who: str, length: int | None = None) -> IntArray:
        """A layer with one value a token: int64 of shape (batch or 1, keys).

        Args:
            name: of the layer.
            who: the pattern that reads it, for the message.
            length: how many values it has, where that is not the number of keys.

        Raises:
            TokenError: when it is missing, no numbers, or of a shape that does not fit.
        """
        array = self._given(name, who)
        length = self.kv_len if length is None else length
        array = array[None] if array.ndim == 1 else array
        if array.ndim != 2 or len(array) not in (1, self.batch) or array.shape[1] != length:
            raise TokenError(
                f"the layer {name!r} has the shape {array.shape}; pattern {who!r} reads one value "
                f"a token here: ({self.batch}, {length})"
            )
        return array

    def per_sample(self, name: str, who: str) -> IntArray:
        """A layer with one value a sample: int64 of shape (batch or 1,).

        It may also be given as a column, (batch, 1), which tells a renderer the number of samples.

        Raises:
            TokenError: when it is missing, no numbers, or of a shape that does not fit.
        """
        array = np.atleast_1d(self._given(name, who))
        column = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
        if column.ndim != 1 or len(column) not in (1, self.batch):
            raise TokenError(
                f"the layer {name!r} has the shape {array.shape}; pattern {who!r} reads one value "
                f"a sample here: ({self.batch},); a column, (samples, 1), also says how many "
                "samples there are"
            )
        return column

    def pairs(self, name: str, who: str) -> tuple[IntArray, IntArray, IntArray]:
        """A layer with any number of pairs a sample: their samples, first and second numbers.

        It holds a list of pairs for each sample, or an array of shape (batch, most, 2), which pairs
        of (-1, -1) fill up; one entry alone is for all samples.

        Returns:
            Three times int64, one a pair, sample by sample.

        Raises:
            TokenError: when it is missing, or does not fit.
        """
        given = self._named(name, who)
        entries = list(given) if np.iterable(given) else []
        wanted = f"pattern {who!r} reads a list of pairs for each sample: [[(0, 0), (1, 2)], …]"
        if len(entries) not in (1, self.batch):
            raise TokenError(
                f"the layer {name!r} has {len(entries)} entries for {self.batch} samples; {wanted}"
            )
        rows = []
        for sample, entry in enumerate(entries):
            pairs = _pairs(entry)
            if pairs is None:
                raise TokenError(
                    f"sample {sample} of the layer {name!r} is {shortened(entry)}; {wanted}"
                )
            rows.append(pairs[(pairs != -1).any(1)])
        rows *= self.batch if len(rows) == 1 else 1
        first, second = np.concatenate(rows).T if rows else np.zeros((2, 0), np.int64)
        return np.repeat(np.arange(self.batch), [len(row) for row in rows]), first, second

    def _given(self, name: str, who: str) -> IntArray:
        given = self._named(name, who)
        try:
            array = np.asarray(given)
        except Exception:  # numpy asks the object itself, which may raise anything
            raise TokenError(
                f"the layer {name!r} is {shortened(given)}; it must be whole numbers"
            ) from None
        if array.dtype.kind == "b":
            return array.astype(np.int64)
        if array.dtype == np.uint64 and name in KEYS:
            return np.ascontiguousarray(array).view(np.int64)
        whole = integers(array)
        if whole is None:
            raise TokenError(f"the layer {name!r} is {array.dtype}; it must be whole numbers")
        return whole

    def _named(self, name: str, who: str) -> Any:
        if name not in self.annotations:
            have = ", ".join(map(repr, self.annotations)) or "none"
            raise TokenError(
                f"pattern {who!r} reads the layer {name!r}, which was not given (layers: {have}); "
                f"'maskplug list {who}' says what it holds"
            )
        return self.annotations[name]

    @cached_property
    def valid(self) -> BoolArray:
        """The real tokens among the keys: bool of shape (batch or 1, keys), True = no padding."""
        if "valid" not in self.annotations:
            return np.ones((1, self.kv_len), np.bool_)
        return np.not_equal(self.per_token("valid", "padding"), 0)

    @property
    def so_far(self) -> int:
        """How many tokens there are up to the last query: the length of its layers."""
        return self.offset + self.q_len

    @cached_property
    def valid_so_far(self) -> BoolArray:
        """The real tokens up to the last query: bool of shape (batch or 1, offset + queries)."""
        if not self.cross:
            return self.valid[:, : self.so_far]
        if "valid_queries" not in self.annotations:
            return np.ones((1, self.so_far), np.bool_)
        return np.not_equal(self.per_token("valid_queries", "padding", self.so_far), 0)

    @property
    def valid_queries(self) -> BoolArray:
        """The real tokens among the queries: bool of shape (batch or 1, queries)."""
        return self.valid_so_far[:, self.offset :]

    @cached_property
    def starts(self) -> IntArray:
        """The first real key of each sample: int64 of shape (batch or 1,)."""
        return _first(self.valid)

    @cached_property
    def lengths(self) -> IntArray:
        """From the first real key to the last: int64 of shape (batch or 1,)."""
        return _from_first_to_last(self.valid)

    @cached_property
    def query_starts(self) -> IntArray:
        """The place of each sample's own token 0 among the queries: int64 of shape (batch or 1,).

        Negative where it stands before the first query.
        """
        return (_first(self.valid_so_far) if self.cross else self.starts) - self.offset

    @cached_property
    def query_lengths(self) -> IntArray:
        """From a sample's token 0 to its last real query: int64 of shape (batch or 1,)."""
        return _from_first_to_last(self.valid_so_far)

    @cached_property
    def q(self) -> IntArray:
        """Each query's place among its sample's own tokens: int64, (batch or 1, 1, queries).

        Negative for padding on the left. In cross attention it counts the decoder's tokens.
        """
        own = np.arange(self.q_len) - self.query_starts[:, None]
        return own[:, None]

    @cached_property
    def k(self) -> IntArray:
        """Each key's place among its sample's own tokens: int64 of shape (batch or 1, keys)."""
        return np.arange(self.kv_len) - self.starts[:, None]

    @property
    def own(self) -> BoolArray:
        """The keys from the first real one to the last: bool of shape (batch or 1, keys)."""
        return (self.k >= 0) & (self.k < self.lengths[:, None])

    @cached_property
    def documents(self) -> Documents:
        """The documents of each row, which the layer ``documents`` tells."""
        from maskplug.attention.documents import Documents

        return Documents.of(self)

    def called(self, sample: int) -> str:
        """What a message calls a sample."""
        return f"sample {sample}"

    @property
    def here(self) -> slice:
        """Where the queries stand among the keys, in self-attention."""
        return slice(self.offset, self.so_far)

    def intervals(self, *pairs: tuple[Any, Any]) -> Intervals:
        """Intervals from pairs (lo, hi) in the sample's own counting.

        Args:
            pairs: integers or arrays that can be spread over (batch, heads, queries); intervals may
                overlap, be empty, or reach beyond the sample.
        """
        start = self.starts[:, None, None]
        moved = [np.asarray(side) + start for pair in pairs for side in pair]
        sides = np.broadcast_arrays(*moved, np.empty((1, 1, self.q_len)))[:-1]
        return Intervals.of(self.kv_len, np.stack(sides[::2], -1), np.stack(sides[1::2], -1))

    def first_keys(self, by_document: bool = False) -> IntArray:
        """The key that is the first token of each query's sample, or of its document.

        Returns:
            int64 of shape (batch or 1, 1, queries or 1). A document without keys, as there may be
            in cross attention, gets the first of its row.
        """
        return self.documents.firsts if by_document else self.starts[:, None, None]

    def cells(
        self, where: BoolArray, key: Literal["self", "first"], by_document: bool = False
    ) -> Intervals:
        """One key for some of the queries: their own token, or the sample's first.

        Args:
            where: bool that can be spread over (batch, heads, queries).
            key: which one.
            by_document: whether "first" is the first token of the query's document.
        """
        start = self.starts[:, None, None]
        at = self.q if key == "self" else self.first_keys(by_document) - start
        at = np.broadcast_to(at, np.broadcast_shapes(at.shape, self.q.shape))
        return self.intervals((at, np.where(where, at + 1, at)))


@dataclass(frozen=True, eq=False)
class WatchedCall(AttentionCall):
    """A site that notes whether a pattern asks for the model's layer: if not, all share a mask.

    Attributes:
        asked: holds "layer_idx" from then on.
    """

    asked: set[str] = field(default_factory=set)

    def __getattribute__(self, name: str) -> Any:
        if name == "layer_idx":
            object.__getattribute__(self, "asked").add(name)
        return object.__getattribute__(self, name)


def _first(valid: BoolArray) -> IntArray:
    """The first True in each row; 0 where there is none."""
    return readonly(valid.argmax(1) if valid.shape[1] else np.zeros(len(valid)), np.int64)


def _from_first_to_last(valid: BoolArray) -> IntArray:
    """From the first True of each row to the last, both included; 0 where there is none."""
    last = valid.shape[1] - _first(valid[:, ::-1])
    return np.where(valid.any(1), last - _first(valid), 0)


def _pairs(entry: Any) -> IntArray | None:
    """An entry of a layer of pairs: int64 of shape (pairs, 2); None for anything else."""
    array = integers(entry)
    if array is None or not array.size:
        return array if array is None else np.zeros((0, 2), np.int64)
    return array if array.ndim == 2 and array.shape[1] == 2 else None
