"""A plugin with a selector and a strategy for every n-th token, and an attention pattern."""

from dataclasses import dataclass

import numpy as np

import maskplug
from maskplug.testing import known_exceptions
from maskplug_example.log_sparse import LogSparse


@dataclass(frozen=True)
class Periodic(maskplug.Selector):
    """Choose every ``period``-th token of a sample, from a start drawn by its key.

    Args:
        period: at least 1; 1 / ``period`` of the tokens are chosen on average.
    """

    period: int = 7

    def __post_init__(self) -> None:
        """Validate the period."""
        if self.period < 1:
            raise maskplug.OptionError(f"option 'period' is {self.period!r}; it must be at least 1")

    def select(
        self, tokens: maskplug.TokenBatch, vocab: maskplug.Vocabulary, rng: maskplug.Rng
    ) -> maskplug.Selection:
        """Choose among the tokens that may be masked."""
        candidates = maskplug.units(tokens, vocab)
        first = rng.integers("first", np.ones(len(tokens), int), self.period)
        first = np.repeat(first, candidates.counts)
        return candidates.take(candidates.numbers % self.period == first)


@known_exceptions(check_something_is_predicted="a sample may be shorter than a period")
def periodic(period: int = 7, clock: maskplug.Clock | str = "epoch") -> maskplug.Strategy:
    """Mask every n-th token, with a new start in every epoch.

    Args:
        period: distance between masked tokens.
        clock: when a new start is drawn.
    """
    return maskplug.compose(Periodic(period), clock=clock)


@maskplug.hookimpl
def maskplug_register(register: maskplug.Register) -> None:
    """Register the selector, the strategy and the pattern."""
    register("selector", "periodic", Periodic)
    register("strategy", "periodic", periodic)
    register("pattern", "log_sparse", LogSparse)
