"""The context of a masked batch (seed, epoch, step, keys), and the event that observers receive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

from maskplug.parts import Clock
from maskplug.rng import Feedback, Rng, progress_of, seed_of, times_of
from maskplug.tokens import TokenBatch
from maskplug.types import FloatArray, IntArray, UintArray
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class MaskingContext:
    """The time of every sample, before a clock has made t of it.

    Attributes:
        seed: from 0 to 2**64 - 1.
        epoch, step: int64, one each, counted from 0.
        keys: uint64, one each.
        progress: float64, one each, from 0 to 1.
        feedback: what the model has told of its losses, or None.
        scope: stands before every purpose.
    """

    seed: int
    epoch: IntArray
    step: IntArray
    keys: UintArray
    progress: FloatArray
    feedback: Feedback | None = None
    scope: str = ""

    @classmethod
    def at(
        cls,
        seed: int,
        epoch: int | IntArray,
        step: int | IntArray,
        keys: UintArray,
        progress: float | FloatArray = 0.0,
        feedback: Feedback | None = None,
    ) -> MaskingContext:
        """Spread single values over the samples.

        Raises:
            OptionError: when a time is no whole number or negative, or there is not one for each
                sample; for a seed or a progress out of range.
        """
        samples = len(keys)
        times = times_of(epoch, samples, "epoch"), times_of(step, samples, "step")
        return cls(seed_of(seed), *times, keys, progress_of(progress, samples), feedback)

    def __len__(self) -> int:
        return len(self.keys)

    def rng(self, clock: Clock) -> Rng:
        """The draws at the time that this clock tells.

        Raises:
            OptionError: for a time out of range.
        """
        return Rng(
            self.seed,
            times_of(clock(self.epoch, self.step), len(self)),
            self.keys,
            self.progress,
            self.scope,
            self.step,
            self.feedback,
        )

    def take(self, rows: IntArray) -> MaskingContext:
        """Some samples, in this order."""
        names = ("epoch", "step", "keys", "progress")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})

    def scoped(self, name: str) -> MaskingContext:
        """The same time, with draws of its own."""
        return replace(self, scope=f"{self.scope}{name}/")


class ObservedStrategy(Protocol):
    """The properties of a strategy that observers can read."""

    @property
    def label(self) -> str:
        """The pinned name, such as ``dynamic@1``."""

    @property
    def spec(self) -> Mapping[str, Any]:
        """Name, version and all options as plain JSON values."""

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that identify the spec."""

    @property
    def primary_clock(self) -> Clock:
        """The clock that turns (epoch, step) into t."""


@dataclass(frozen=True)
class MaskingEvent:
    """What an observer receives beside the masked batch.

    Attributes:
        strategy: the strategy that masked the batch.
        tokens: a read-only copy of the batch before masking.
        vocab: the vocabulary of its ids.
        when: seed, epoch, step, progress and keys.
    """

    strategy: ObservedStrategy
    tokens: TokenBatch
    vocab: Vocabulary
    context: MaskingContext

    @cached_property
    def rng(self) -> Rng:
        """The random draws at the strategy's t."""
        return self.context.rng(self.strategy.primary_clock)
