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
    """Seed, epoch, step, progress and key of every sample; a clock turns them into t.

    Attributes:
        seed: from 0 to 2**64 - 1.
        epoch, step: int64, one per sample, counted from 0.
        keys: uint64, one per sample.
        progress: float64, one per sample, from 0 to 1.
        feedback: the tracked losses of the model, or None.
        scope: the prefix of every purpose string of the random draws.
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
        """Build a context; scalars apply to all samples.

        Raises:
            OptionError: when epoch or step is negative, not an integer, or not one per sample; for
                a seed or a progress out of range.
        """
        samples = len(keys)
        times = times_of(epoch, samples, "epoch"), times_of(step, samples, "step")
        return cls(seed_of(seed), *times, keys, progress_of(progress, samples), feedback)

    def __len__(self) -> int:
        return len(self.keys)

    def rng(self, clock: Clock) -> Rng:
        """Return the random draws at the t of a clock.

        Raises:
            OptionError: for a t out of range.
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
        """Return the context of some samples, in this order."""
        names = ("epoch", "step", "keys", "progress")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})

    def scoped(self, name: str) -> MaskingContext:
        """Return the same context with independent draws."""
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
        context: seed, epoch, step, progress and keys.
    """

    strategy: ObservedStrategy
    tokens: TokenBatch
    vocab: Vocabulary
    context: MaskingContext

    @cached_property
    def rng(self) -> Rng:
        """The random draws at the strategy's t."""
        return self.context.rng(self.strategy.primary_clock)
