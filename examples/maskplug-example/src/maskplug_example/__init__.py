"""From outside: a selector and a strategy (every n-th token), and a pattern of attention."""

from dataclasses import dataclass

import numpy as np

import maskplug
from maskplug.testing import known_exceptions
from maskplug_example.log_sparse import LogSparse


@dataclass(frozen=True)
class Periodic(maskplug.Selector):
    """Chooses every ``period``-th token of a sample, from a start drawn from its key.

    Args:
        period: at least 1; the share of chosen tokens is 1 / ``period`` on average.
    """

    period: int = 7

    def __post_init__(self) -> None:
        """Refuse a period that no token could have."""
        if self.period < 1:
            raise maskplug.OptionError(f"option 'period' is {self.period!r}; it must be at least 1")

    def select(
        self, tokens: maskplug.TokenBatch, vocab: maskplug.Vocabulary, rng: maskplug.Rng
    ) -> maskplug.Selection:
        """Choose among the tokens that may be masked, whatever their number."""
        candidates = maskplug.units(tokens, vocab)
        first = rng.integers("first", np.ones(len(tokens), int), self.period)
        place = np.arange(candidates.offsets[-1]) - np.repeat(
            candidates.offsets[:-1], candidates.counts
        )
        return candidates.take(place % self.period == np.repeat(first, candidates.counts))


@known_exceptions(check_something_is_predicted="a sample may be shorter than a period")
def periodic(period: int = 7, clock: maskplug.Clock | str = "epoch") -> maskplug.Strategy:
    """Mask every n-th token, from another start in every epoch.

    Args:
        period: every how many-th token.
        clock: when the start is drawn anew.
    """
    return maskplug.compose(Periodic(period), clock=clock)


@maskplug.hookimpl
def maskplug_register(register: maskplug.Register) -> None:
    """Offer all of them under their names."""
    register("selector", "periodic", Periodic)
    register("strategy", "periodic", periodic)
    register("pattern", "log_sparse", LogSparse)
