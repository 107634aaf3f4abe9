"""A pattern: who may see whom, as a function of the site and of nothing else.

True = may attend, everywhere.
"""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from maskplug import spec as specs
from maskplug.arrays import BoolArray
from maskplug.attention.intervals import Intervals
from maskplug.attention.site import Place, Site
from maskplug.errors import MaskplugWarning, OptionError
from maskplug.parts import Clock, Part, Schedule
from maskplug.rng import keys_of
from maskplug.when import When

if TYPE_CHECKING:
    from maskplug.attention.flashmask import FlashMask
    from maskplug.attention.flex import BlockMask, MaskMod

Fallback = Literal["self", "first", "error"]


class Pattern(Part):
    """Who may see whom: M(t). Made by :func:`pattern`, and joined with ``&``, ``|`` and ``~``.

    The renderers share their arguments:

    - ``q_len``, ``kv_len``: how many queries and keys, padding included; as many keys as queries
      unless said otherwise.
    - ``t``: the training iteration, from 0; ``epoch`` from 0; ``progress`` from 0 (start of
      training) to 1 (its end), for schedules.
    - ``seed`` from 0 to 2**64 - 1, and ``keys``, one a sample (int, str or bytes), for patterns
      that draw; without keys all samples have the key 0.
    - ``heads``: how many, for patterns that draw for each; ``depth``: the model's layer, from 0.
    - ``offset``: how many tokens stand before the first query (decoding with a cache).
    - ``place``: "encoder" or "decoder" (self-attention), or "cross", where queries are the
      decoder's tokens and keys the encoder's.
    - ``fallback`` for queries that would see nothing: "self" lets them see themselves, "first" the
      sample's first token, "error" raises; without it they stay empty, with a warning.
    - all others are layers: ``valid`` (1 = real token, 0 = padding), ``documents``, …, of shape
      (batch, keys), or (keys,) for all samples, or a list with an entry for each sample where their
      lengths differ; ``maskplug list NAME`` says what a pattern reads.
    """

    kind = "pattern"

    @abstractmethod
    def rows(self, site: Site) -> Intervals:
        """What every query sees at this site; what a pattern's author writes."""

    def __and__(self, other: Pattern) -> Pattern:
        """Keys that both patterns show."""
        from maskplug.attention.algebra import And

        return And((*_members(self, And), *_members(other, And)))

    def __or__(self, other: Pattern) -> Pattern:
        """Keys that one or the other pattern shows."""
        from maskplug.attention.algebra import Or

        return Or((*_members(self, Or), *_members(other, Or)))

    def __invert__(self) -> Pattern:
        """Keys that the pattern hides."""
        from maskplug.attention.algebra import Not

        return self.pattern if isinstance(self, Not) else Not(self)

    def at(self, site: Site, fallback: Fallback | None = None) -> Intervals:
        """What every query sees at this site, with the policy for queries that see nothing.

        Raises:
            OptionError: for an unknown fallback, "self" in cross attention, or, with "error", when
                a query that is no padding sees nothing.
            TokenError: when a layer is missing or does not fit.
        """
        if fallback not in (None, "self", "first", "error"):
            raise OptionError(f"fallback is {fallback!r}; choices: 'self', 'first', 'error'")
        if fallback == "self" and site.cross:
            raise OptionError("in cross attention no query can see itself; fallback='first'")
        rows = self.rows(site)
        empty = rows.counts == 0
        if not empty.any():
            return rows
        if fallback == "self" or fallback == "first":
            return rows | site.cells(empty, fallback)
        if (lost := empty & site.valid_queries[:, None]).any():
            self._tell_of_empty(lost, fallback)
        return rows

    def _tell_of_empty(self, empty: BoolArray, fallback: Fallback | None) -> None:
        sample, _, query = (int(axis[0]) for axis in np.nonzero(empty))
        message = (
            f"pattern {self} hides every key from {int(empty.sum())} of {empty.size} queries (the "
            f"first: sample {sample}, query {query})"
        )
        if fallback == "error":
            raise OptionError(message)
        warnings.warn(
            f"{message}. What such a query gets depends on the back end: zeros, the mean of all "
            "values, or NaN. fallback='self' or 'first' lets it see one token, 'error' refuses it",
            MaskplugWarning,
            stacklevel=4,
        )

    def intervals(
        self,
        q_len: int,
        kv_len: int | None = None,
        t: int = 0,
        *,
        epoch: int = 0,
        progress: float = 0.0,
        seed: int = 0,
        keys: Iterable[int | str | bytes] | None = None,
        heads: int = 1,
        offset: int = 0,
        place: Place = "encoder",
        depth: int = 0,
        fallback: Fallback | None = None,
        **layers: Any,
    ) -> Intervals:
        """The mask as row intervals; :class:`Pattern` explains the arguments.

        Raises:
            MaskplugError: when lengths, layers and options do not fit together.

        Example:
            >>> pattern("window", left=2, right=0).intervals(4).to_lists()
            [[[[(0, 1)], [(0, 2)], [(0, 3)], [(1, 4)]]]]
        """
        batch = max((_samples(value) for value in layers.values()), default=1)
        numbers = np.zeros(batch, np.uint64) if keys is None else keys_of(keys)
        if batch > 1 and len(numbers) != batch:
            raise OptionError(f"there are {len(numbers)} keys for {batch} samples")
        kv_len = q_len + offset if kv_len is None else kv_len
        when = When.at(seed, epoch, t, numbers, progress)
        site = Site(q_len, kv_len, when, heads, offset, place, depth, layers)
        return self.at(site, fallback)

    def dense(self, q_len: int, kv_len: int | None = None, t: int = 0, **more: Any) -> BoolArray:
        """The mask as a matrix; :class:`Pattern` explains the arguments.

        Returns:
            bool of shape (batch, heads, q_len, kv_len), True = may attend. A batch or head axis of
            1 stands for all samples or heads.

        Example:
            >>> pattern("causal").dense(3)[0, 0].astype(int)
            array([[1, 0, 0], [1, 1, 0], [1, 1, 1]])
        """
        return self.intervals(q_len, kv_len, t, **more).dense()

    def hidden(self, q_len: int, kv_len: int | None = None, t: int = 0, **more: Any) -> BoolArray:
        """The mask with fairseq's polarity: bool as :meth:`dense`, but True = may *not* attend.

        Example:
            >>> pattern("causal").hidden(2)[0, 0].astype(int)
            array([[0, 1], [0, 0]])
        """
        return ~self.dense(q_len, kv_len, t, **more)

    def additive(
        self,
        q_len: int,
        kv_len: int | None = None,
        t: int = 0,
        *,
        dtype: Any = np.float32,
        **more: Any,
    ) -> Any:
        """The mask as what is added to the scores: 0 = may attend, the least number = may not.

        Args:
            q_len, kv_len, t, more: see :class:`Pattern`.
            dtype: a floating dtype of numpy or torch.

        Returns:
            An array, or a tensor on the CPU, of that dtype and of the shape of :meth:`dense`. The
            least finite number, not minus infinity, stands for "may not": a softmax over such
            numbers alone is no NaN.

        Example:
            >>> pattern("causal").additive(2, dtype="float16")[0, 0].tolist()
            [[0.0, -65504.0], [0.0, 0.0]]
        """
        if type(dtype).__module__ == "torch":
            from maskplug.attention.flex import additive

            return additive(self.dense(q_len, kv_len, t, **more), dtype)
        kind = np.dtype(dtype)
        if kind.kind != "f":
            raise OptionError(f"dtype is {dtype!r}; it must be a floating type")
        seen = self.dense(q_len, kv_len, t, **more)
        return np.where(seen, kind.type(0), np.finfo(kind).min)

    def mask_mod(
        self,
        q_len: int,
        kv_len: int | None = None,
        t: int = 0,
        *,
        device: Any = None,
        **more: Any,
    ) -> MaskMod:
        """The mask as FlexAttention's function ``(b, h, q_idx, kv_idx) -> bool``.

        It is the same function for every pattern, closed over tensors of intervals, so that
        patterns share compiled graphs.

        Args:
            q_len, kv_len, t, more: see :class:`Pattern`.
            device: where the tensors live; the accelerator if there is one, else the CPU.

        Example:
            >>> import torch
            >>> sees = pattern("causal").mask_mod(3, device="cpu")
            >>> zero, at = torch.tensor(0), torch.arange(3)
            >>> sees(zero, zero, at[:, None], at).int().tolist()
            [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
        """
        from maskplug.attention.flex import mask_mod

        return mask_mod(self.intervals(q_len, kv_len, t, **more), device)

    def block_mask(
        self,
        q_len: int,
        kv_len: int | None = None,
        t: int = 0,
        *,
        block_size: int | tuple[int, int] = 128,
        device: Any = None,
        **more: Any,
    ) -> BlockMask:
        """The mask as FlexAttention's ``BlockMask``: what ``create_block_mask`` makes, bit by bit.

        It is made from the intervals, without the matrix, in time linear in them and the blocks.
        Where samples or heads do not differ, their axis is 1, and FlexAttention spreads it.

        Args:
            q_len, kv_len, t, more: see :class:`Pattern`.
            block_size: how many queries and keys a block has; one number for both.
            device: where the tensors live; the accelerator if there is one, else the CPU.

        Example:
            >>> mask = pattern("causal").block_mask(6, block_size=2, device="cpu")
            >>> mask.kv_num_blocks[0, 0].tolist(), mask.full_kv_num_blocks[0, 0].tolist()
            ([1, 1, 1], [0, 1, 2])
        """
        from maskplug.attention.flex import block_mask

        return block_mask(self.intervals(q_len, kv_len, t, **more), block_size, device)

    def flashmask(
        self, q_len: int, kv_len: int | None = None, t: int = 0, **more: Any
    ) -> FlashMask:
        """The mask as FlashMask's columns; :class:`~maskplug.attention.FlashMask` explains them.

        Raises:
            OptionError: when a key is hidden from more runs of queries than the form can tell.

        Example:
            >>> rows, causal = pattern("window:left=1").flashmask(4)
            >>> rows[0, 0].tolist(), causal
            ([[2], [3], [4], [4]], True)
        """
        from maskplug.attention.flashmask import FlashMask

        return FlashMask.of(self.intervals(q_len, kv_len, t, **more), self)

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The pattern itself, and every part among its options."""
        return tuple(_inside(self))

    @property
    def clocks(self) -> tuple[Clock, ...]:
        """All clocks inside."""
        return tuple(part for part in self.parts if isinstance(part, Clock))

    @property
    def moves(self) -> bool:
        """Whether the mask changes during training: M(t) is not M(0)."""
        schedules = any(isinstance(part, Schedule) for part in self.parts)
        return schedules or not all(clock.timeless for clock in self.clocks)

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of all layers that it reads, those of its members included."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.reads))

    @property
    def spec(self) -> dict[str, Any]:
        """Name, version and every option, as plain JSON values: all that makes the pattern."""
        spec: dict[str, Any] = specs.canonical(self)
        return spec

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that stand for the spec."""
        return specs.fingerprint(self.spec)

    def __str__(self) -> str:
        from maskplug.attention.expression import written

        return written(self)


def _samples(layer: Any) -> int:
    """How many samples a layer tells apart; 1 where it is one row for all of them."""
    try:
        shape = np.shape(layer)
    except ValueError:  # ragged: a row of its own length for each sample
        return len(layer)
    return shape[0] if len(shape) > 1 else 1


def _members(pattern: Pattern, kind: type) -> tuple[Pattern, ...]:
    """A pattern, or the members of an And or Or: a & b & c is one conjunction of three."""
    if not isinstance(pattern, Pattern):
        raise OptionError(f"patterns are joined with patterns, not with {pattern!r}")
    return getattr(pattern, "patterns", ()) if isinstance(pattern, kind) else (pattern,)


def _inside(value: Any) -> Iterator[Part]:
    if isinstance(value, tuple):
        for item in value:
            yield from _inside(item)
    elif isinstance(value, Part):
        yield value
        for item in fields(value) if is_dataclass(value) else ():
            yield from _inside(getattr(value, item.name))


def pattern(name: str | Mapping[str, Any] | Pattern, **options: Any) -> Pattern:
    """A pattern by name, by expression, or from a spec.

    Args:
        name: ``"window"``, ``"window@1"``, ``"distribution:window"``; an expression such as
            ``"window:left=4,right=0 & document | ~sink:n=2"``; or a ``Pattern.spec``.
        options: the options of a single name; ``maskplug list NAME`` explains them.

    Raises:
        UnknownNameError: when there is no such pattern; near names are suggested.
        OptionError: for an unknown or wrong option, or an expression that cannot be read.

    Example:
        >>> str(pattern("window", left=4) & pattern("document"))
        'window:left=4,right=0 & document'
        >>> pattern("window:left=4 & document") == pattern("window", left=4) & pattern("document")
        True
    """
    if options:
        if not isinstance(name, str):
            raise OptionError(f"{name!r} is made already; options {sorted(options)} come too late")
        name = {"name": name, **options}
    made: Pattern = specs.resolve("pattern", name)
    return made
