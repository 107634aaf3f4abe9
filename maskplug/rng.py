"""Random numbers as a pure function of (seed, t, sample key, purpose, position).

Philox4x32-10 is keyed by a hash of the first four; its counter is the position. docs/randomness.md
specifies the layout bit by bit, so that other languages can reproduce every mask.
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
    below,
    integers,
    offsets_of,
    per_sample,
    readonly,
)
from maskplug.validation.options import is_whole

FULL = (1 << 64) - 1


def key_of(value: int | str | bytes) -> int:
    """Return the 64-bit key of a sample.

    Integers from 0 to 2**64 - 1 are used as they are; text (UTF-8) and bytes are hashed with
    BLAKE2b to eight bytes, little-endian. ``7`` and ``"7"`` are different keys.

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
    """Return the keys of samples: uint64, one per sample; see :func:`key_of`.

    Types may be mixed and keys may be equal. Unsigned arrays are used as they are.

    Raises:
        TokenError: for anything but an ordered sequence of keys (a single text, a set, an array of
            another shape).
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
def _purpose_word(purpose: str) -> np.uint64:
    return np.uint64(key_of(purpose))


def hash_words(*words: int | UintArray) -> UintArray:
    """Hash 64-bit words, or arrays of them, into one array of uint64.

    If all words but one are fixed, different values of that word give different hashes, so that two
    samples never share a stream at one t.

    Raises:
        ValueError: when the lengths of two arrays differ and neither is 1.

    Example:
        >>> [hex(h) for h in hash_words(7, np.arange(2, dtype=np.uint64))]
        ['0xfd070b57454647c7', '0x7212a84f722e3d53']
    """
    from maskplug.kernels.philox import absorb

    state = readonly(np.zeros(1), np.uint64)
    for position, word in enumerate(words, 1):
        column = readonly(word, np.uint64)
        if len(state) != len(column) and 1 not in (len(state), len(column)):
            raise ValueError(f"{len(state)} hashes cannot absorb {len(column)} words")
        state = readonly(absorb(state, position, column), np.uint64)
    return state


def derive(keys: UintArray, name: str) -> UintArray:
    """Return keys for another text of the same samples (for example the target of a pair).

    Example:
        >>> derive(np.array([7], np.uint64), "target")[0] != 7
        np.True_
    """
    return hash_words(key_of(name), keys)


def seed_of(seed: int) -> int:
    """Return a seed as a Python integer; raise an OptionError for an invalid one."""
    if not is_whole(seed) or not 0 <= seed <= FULL:
        raise OptionError(f"seed is {shortened(seed)}; it must be an integer from 0 to 2**64 - 1")
    return int(seed)


def times_of(t: int | IntArray, samples: int, name: str = "t") -> IntArray:
    """Return one epoch, step or t per sample, int64; raise an OptionError for invalid values."""
    times = integers(t)
    if times is None:
        raise OptionError(
            f"{name} is {shortened(t)}; it must be a whole number below 2**63, or one per sample"
        )
    if times.shape not in ((), (samples,)):
        raise OptionError(f"{name} has shape {times.shape} for {samples} samples")
    # For a scalar, ``item`` is ten times as fast as ``min``.
    least = times.item() if times.ndim == 0 else times.min(initial=0)
    if least < 0:
        raise OptionError(f"{name} is {least}; epochs and steps count from 0")
    return per_sample(times, np.int64, samples)


def progress_of(progress: float | FloatArray, samples: int) -> FloatArray:
    """Return the training progress per sample, float64; raise an OptionError for other values."""
    try:
        part = np.asarray(progress)
        known = part.dtype.kind in "iuf"
    except Exception:  # numpy calls methods of the object, which may raise anything
        known = False
    if not known:
        raise OptionError(
            f"progress is {shortened(progress)}; it must be a number from 0 to 1, or one per sample"
        )
    if part.shape not in ((), (samples,)):
        raise OptionError(f"progress has shape {part.shape} for {samples} samples")
    if isnan(part.item()) if part.ndim == 0 else np.isnan(part).any():
        raise OptionError("progress is NaN; it is a number from 0 to 1")
    return per_sample(part, np.float64, samples)


class Feedback(Protocol):
    """Tracked losses of a model; see ``maskplug.loss_tracking``."""

    def at(self, step: int) -> FloatArray:
        """Return the score of every class for masks of this step: float64."""


@dataclass(frozen=True, eq=False)
class Rng:
    """Random draws and schedule values for the samples of a batch.

    Args:
        seed: from 0 to 2**64 - 1.
        t: int64, one per sample, not negative.
        keys: uint64, one per sample.
        progress: training progress from 0 to 1, float64, one per sample.
        scope: prefix of every purpose, so that stages of one strategy draw independently.
        step: int64, one per sample, for parts that use ``feedback``.
        feedback: the tracked losses of an adaptive strategy, or None.

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
    ) -> Rng:
        """Build an Rng; scalars of ``t`` and ``progress`` apply to all samples.

        Raises:
            OptionError: when seed or t is out of range, or progress is NaN.
        """
        key_array = keys_of(keys)
        samples = len(key_array)
        return cls(seed_of(seed), times_of(t, samples), key_array, progress_of(progress, samples))

    def __len__(self) -> int:
        return len(self.keys)

    def scoped(self, name: str) -> Rng:
        """Return an Rng with independent draws: ``name`` becomes part of the scope."""
        return replace(self, scope=f"{self.scope}{name}/", _keys={})

    @cached_property
    def at_time_zero(self) -> Rng:
        """The Rng at t = 0, for draws that never change."""
        return replace(self, t=np.zeros_like(self.t), _keys={})

    def stream_keys(self, purpose: str) -> UintArray:
        """Return the Philox key of each sample's stream for ``purpose``: uint64."""
        keys = self._keys.get(purpose)
        if keys is None:
            from maskplug.kernels.philox import stream_hashes

            # Kernels fill arrays: returning one costs a microsecond.
            keys = np.empty(len(self), np.uint64)
            stream_hashes(self._samples, _purpose_word(self.scope + purpose), keys)
            keys.setflags(write=False)
            self._keys[purpose] = keys
        return keys

    @cached_property
    def _samples(self) -> UintArray:
        """``hash_words(seed, t, keys)`` in one kernel."""
        from maskplug.kernels.philox import sample_hashes

        times, keys = readonly(self.t, np.int64), readonly(self.keys, np.uint64)
        hashes = np.empty(len(self), np.uint64)
        sample_hashes(np.uint64(self.seed), times, keys, hashes)
        hashes.setflags(write=False)
        return hashes

    def bits(self, purpose: str, counts: IntArray | list[int], draw: int = 0) -> Words:
        """Draw ``counts[i]`` random 32-bit words for sample i.

        Args:
            purpose: names the stream; different purposes are independent.
            counts: number of words per sample.
            draw: selects an independent stream of the same purpose.

        Returns:
            uint32 of length ``sum(counts)``. Word j of a sample does not depend on its count.
        """
        from maskplug.kernels.philox import streams

        words: Words = streams(self.stream_keys(purpose), offsets_of(counts), draw)
        return words

    def uniform(self, purpose: str, counts: IntArray | list[int], draw: int = 0) -> FloatArray:
        """Draw float64 in [0, 1) in steps of 2**-32; see :meth:`bits`."""
        return self.bits(purpose, counts, draw).astype(np.float64) * 2.0**-32

    def bernoulli(
        self, purpose: str, counts: IntArray | list[int], p: float, draw: int = 0
    ) -> BoolArray:
        """Draw bools that are True with probability ``p``; see :meth:`bits`."""
        return self.uniform(purpose, counts, draw) < p

    def integers(
        self, purpose: str, counts: IntArray | list[int], high: int, draw: int = 0
    ) -> IntArray:
        """Draw int64 from 0 to ``high`` - 1 (bias below ``high`` / 2**32); see :meth:`bits`."""
        return below(self.bits(purpose, counts, draw), np.uint64(high))

    def value(self, schedule: Callable[[FloatArray], FloatArray] | float) -> FloatArray:
        """Return a schedule's value, or a number, per sample: float64."""
        if callable(schedule):
            return schedule(self.progress)
        return per_sample(schedule, np.float64, len(self))
