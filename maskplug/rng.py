"""Randomness that depends on nothing but (seed, t, sample key, purpose, position).

Philox4x32-10 is keyed by a hash of the first four and counts positions; docs/randomness.md gives
the layout bit by bit, so that another language can reproduce every mask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from hashlib import blake2b
from math import isnan
from typing import Any, Protocol

import numpy as np

from maskplug.errors import OptionError, TokenError, shortened
from maskplug.types import (
    BoolArray,
    FloatArray,
    IntArray,
    UintArray,
    Words,
    integers,
    per_sample,
    readonly,
)
from maskplug.validation.options import is_whole

FULL = (1 << 64) - 1


def key_of(value: int | str | bytes) -> int:
    """The 64-bit key of one sample.

    Integers from 0 to 2**64 - 1 are keys already; text (as UTF-8) and bytes are hashed with
    BLAKE2b to eight bytes, read little-endian. ``7`` and ``"7"`` are different keys.

    Raises:
        TokenError: for an integer out of range, text that UTF-8 cannot encode, or another type.

    Example:
        >>> key_of(7), key_of("doc-1") == key_of(b"doc-1")
        (7, True)
    """
    if isinstance(value, str):
        try:
            value = value.encode()
        except UnicodeEncodeError:
            raise TokenError(
                f"sample key {shortened(value)} has unpaired surrogates, which UTF-8 cannot "
                "encode; use bytes (os.fsencode for names of files)"
            ) from None
    if isinstance(value, bytes):
        return int.from_bytes(blake2b(value, digest_size=8).digest(), "little")
    if is_whole(value):
        if 0 <= value <= FULL:
            return int(value)
        raise TokenError(
            f"sample key {shortened(value)} is out of range: integers go from 0 to 2**64 - 1"
        )
    raise TokenError(
        f"sample key {shortened(value)} is a {type(value).__name__}; use an int, str or bytes"
    )


def keys_of(values: Iterable[int | str | bytes] | np.ndarray[Any, Any]) -> UintArray:
    """The keys of many samples: uint64, one each; see :func:`key_of`.

    Integers, text and bytes may be mixed, and keys may be equal. Unsigned arrays are taken as they
    are.

    Raises:
        TokenError: when there is not one key for each sample in order (a single text, a set, an
            array of another shape), or one of them is no key.
    """
    if isinstance(values, np.ndarray):
        if values.ndim != 1:
            raise TokenError(f"keys have the shape {values.shape}; expected one key per sample")
        if values.dtype.kind == "u" or (values.dtype.kind == "i" and (values >= 0).all()):
            return readonly(values, np.uint64)
    elif isinstance(values, str | bytes | set | frozenset | Mapping) or not np.iterable(values):
        raise TokenError(
            f"keys are {shortened(values)}; expected a sequence with one key (int, str or bytes) "
            "per sample"
        )
    return np.fromiter((key_of(value) for value in values), np.uint64)


@cache
def purpose_code(purpose: str) -> int:
    """The 64-bit code of a purpose's name, hashed as a sample key is."""
    return key_of(purpose)


@cache
def _purpose_word(purpose: str) -> np.uint64:
    return np.uint64(purpose_code(purpose))


def absorb(state: UintArray, position: int, word: UintArray) -> UintArray:
    """One step of the key hash: take in the word at ``position`` (counted from 1).

    Each step is a bijection of the word, so that two samples never share a key at one t.

    Raises:
        ValueError: when neither side is a single one and their lengths differ.
    """
    from maskplug.kernels.philox import absorb as absorb_rows

    if len(state) != len(word) and 1 not in (len(state), len(word)):
        raise ValueError(f"{len(state)} hashes cannot take in {len(word)} words")
    return readonly(
        absorb_rows(readonly(state, np.uint64), position, readonly(word, np.uint64)), np.uint64
    )


def hash_words(*words: int | UintArray) -> UintArray:
    """Hash 64-bit words, or arrays of them, into one array of uint64.

    With all words but one fixed, different values of that one give different hashes.

    Example:
        >>> [hex(h) for h in hash_words(7, np.arange(2, dtype=np.uint64))]
        ['0xfd070b57454647c7', '0x7212a84f722e3d53']
    """
    state = np.zeros(1, np.uint64)
    for position, word in enumerate(words, 1):
        state = absorb(state, position, np.atleast_1d(np.asarray(word, np.uint64)))
    return state


def derive(keys: UintArray, name: str) -> UintArray:
    """Keys for another text of the same samples (say, the target side of a pair).

    Example:
        >>> derive(np.array([7], np.uint64), "target")[0] != 7
        np.True_
    """
    return hash_words(purpose_code(name), keys)


def seed_of(seed: int) -> int:
    """A seed as a Python integer.

    Raises:
        OptionError: when it is no integer from 0 to 2**64 - 1.
    """
    if not is_whole(seed) or not 0 <= seed <= FULL:
        raise OptionError(f"seed is {shortened(seed)}; it must be an integer from 0 to 2**64 - 1")
    return int(seed)


def times_of(t: int | IntArray, samples: int, name: str = "t") -> IntArray:
    """One time for each sample: int64.

    Raises:
        OptionError: when one is no whole number or negative, or there is not one for each sample.
    """
    times = integers(t)
    if times is None:
        raise OptionError(
            f"{name} is {shortened(t)}; it must be a whole number below 2**63, or one for each "
            "sample"
        )
    if times.shape not in ((), (samples,)):
        raise OptionError(f"{name} has shape {times.shape} for {samples} samples")
    # A single number is looked at by itself: numpy takes ten times as long for its least value.
    least = times.item() if times.ndim == 0 else times.min(initial=0)
    if least < 0:
        raise OptionError(f"{name} is {least}; epochs and steps count from 0")
    return per_sample(times, np.int64, samples)


def progress_of(progress: float | FloatArray, samples: int) -> FloatArray:
    """How far training is at each sample: float64.

    Raises:
        OptionError: when one is not a number, or there is not one for each sample.
    """
    try:
        part = np.asarray(progress)
        known = part.dtype.kind in "iuf"
    except Exception:  # numpy asks the object itself, which may raise anything
        known = False
    if not known:
        raise OptionError(
            f"progress is {shortened(progress)}; it must be a number from 0 to 1, or one for each "
            "sample"
        )
    if part.shape not in ((), (samples,)):
        raise OptionError(f"progress has shape {part.shape} for {samples} samples")
    if isnan(part.item()) if part.ndim == 0 else np.isnan(part).any():
        raise OptionError("progress is NaN; it is a number from 0 to 1")
    return per_sample(part, np.float64, samples)


class Feedback(Protocol):
    """What a model has told of its losses, step by step; see ``maskplug.loss_tracking``."""

    def at(self, step: int) -> FloatArray:
        """The score of every class that masks of this step are drawn with: float64."""


@dataclass(frozen=True, eq=False)
class Rng:
    """What a part may know of chance and time: its draws, and the values of its schedules.

    Args:
        seed: from 0 to 2**64 - 1.
        t: the clock's time of each sample, int64, one each and not negative.
        keys: the samples' keys, uint64.
        progress: how far training is at each sample, float64 from 0 to 1.
        scope: stands before every purpose, so that two stages of one strategy draw apart.
        step: of each sample, int64, for parts that look up ``feedback``.
        feedback: the losses that an adaptive strategy follows, or None.

    Example:
        >>> rng = Rng.at(seed=7, t=3, keys=[10, 11])
        >>> rng.uniform("coin", [1, 2]).round(3)
        array([0.008, 0.932, 0.066])
    """

    seed: int
    t: IntArray
    keys: UintArray
    progress: FloatArray
    scope: str = ""
    step: IntArray | None = None
    feedback: Feedback | None = None
    _keys: dict[str, UintArray] = field(default_factory=dict, repr=False)

    @classmethod
    def at(
        cls,
        seed: int,
        t: int | IntArray,
        keys: Iterable[int | str | bytes] | UintArray,
        progress: float | FloatArray = 0.0,
        **rest: Any,
    ) -> Rng:
        """Build an Rng from scalars or arrays; ``t`` and ``progress`` are spread over the samples.

        Args:
            rest: ``scope``, ``step`` and ``feedback``, as they are.

        Raises:
            OptionError: when the seed or t is negative or beyond its range, or progress is NaN.
        """
        key_array = keys_of(keys)
        samples = len(key_array)
        return cls(
            seed_of(seed), times_of(t, samples), key_array, progress_of(progress, samples), **rest
        )

    def __len__(self) -> int:
        return len(self.keys)

    def row(self, i: int) -> Rng:
        """Sample i alone."""
        one = slice(i, i + 1)
        return replace(
            self,
            t=self.t[one],
            keys=self.keys[one],
            progress=self.progress[one],
            step=None if self.step is None else self.step[one],
            _keys={},
        )

    def scoped(self, name: str) -> Rng:
        """The same samples and time, with draws of their own: ``name`` goes before purposes."""
        return replace(self, scope=f"{self.scope}{name}/", _keys={})

    @cached_property
    def at_time_zero(self) -> Rng:
        """The same samples at t = 0: draws that stay, whatever the clock does."""
        return replace(self, t=np.zeros_like(self.t), _keys={})

    def stream_keys(self, purpose: str) -> UintArray:
        """The Philox key of each sample's stream for ``purpose``: uint64, one each."""
        keys = self._keys.get(purpose)
        if keys is None:
            from maskplug.kernels.philox import stream_hashes

            # Filled rather than returned: an array that a kernel returns costs a microsecond.
            keys = np.empty(len(self), np.uint64)
            stream_hashes(self._samples, _purpose_word(self.scope + purpose), keys)
            keys.setflags(write=False)
            self._keys[purpose] = keys
        return keys

    @cached_property
    def _samples(self) -> UintArray:
        """``hash_words(seed, t, keys)``, in one go."""
        from maskplug.kernels.philox import sample_hashes

        times, keys = readonly(self.t, np.int64), readonly(self.keys, np.uint64)
        hashes = np.empty(len(self), np.uint64)
        sample_hashes(np.uint64(self.seed), times, keys, hashes)
        hashes.setflags(write=False)
        return hashes

    def bits(self, purpose: str, counts: IntArray | list[int], draw: int = 0) -> Words:
        """``counts[i]`` random 32-bit words for sample i, one sample after the other.

        Args:
            purpose: what the draw is for; another purpose is an independent stream.
            counts: how many words each sample needs, one a sample.
            draw: another number is another independent stream of the same purpose.

        Returns:
            uint32, ``sum(counts)`` long. Word j of a sample is the same however many are asked for.
        """
        from maskplug.kernels.philox import streams

        offsets = np.zeros(len(self) + 1, np.int64)
        np.cumsum(counts, out=offsets[1:])
        words: Words = streams(self.stream_keys(purpose), offsets, draw)
        return words

    def uniform(self, purpose: str, counts: IntArray | list[int], draw: int = 0) -> FloatArray:
        """As :meth:`bits`, as float64 in [0, 1), in steps of 2**-32."""
        return self.bits(purpose, counts, draw).astype(np.float64) * 2.0**-32

    def bernoulli(
        self, purpose: str, counts: IntArray | list[int], p: float, draw: int = 0
    ) -> BoolArray:
        """As :meth:`bits`, as bool: True with probability ``p``."""
        return self.uniform(purpose, counts, draw) < p

    def integers(
        self, purpose: str, counts: IntArray | list[int], high: int, draw: int = 0
    ) -> IntArray:
        """As :meth:`bits`, as int64 from 0 to ``high`` - 1 (bias below ``high`` / 2**32)."""
        wide = self.bits(purpose, counts, draw).astype(np.uint64) * np.uint64(high)
        return (wide >> np.uint64(32)).astype(np.int64)

    def value(self, schedule: Callable[[FloatArray], FloatArray] | float) -> FloatArray:
        """A schedule's value at each sample's progress, or the number itself: float64, one each."""
        if callable(schedule):
            return schedule(self.progress)
        return per_sample(schedule, np.float64, len(self))
