"""Strategies composed of a selector, a replacement, a target and a clock."""

from __future__ import annotations

from dataclasses import dataclass

from maskplug import spec as specs
from maskplug.context import MaskingContext
from maskplug.errors import ResultError
from maskplug.parts import Clock, Part, Predicts, Replacement, Selector, Target
from maskplug.strategy import Strategy
from maskplug.tokens import Masked, TokenBatch
from maskplug.types import IntArray
from maskplug.validation.results import (
    check_inputs,
    check_selection,
    check_type,
    warn_of_long_units,
)
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True, repr=False)
class Composed(Strategy):
    """A strategy that selects tokens, replaces them and builds what to predict.

    Attributes:
        selector: which tokens.
        replacement: what is written there.
        target: what must be predicted.
        clock: when masks change.
    """

    selector: Selector
    replacement: Replacement
    target: Target
    clock: Clock

    def mask(self, tokens: TokenBatch, vocab: Vocabulary, context: MaskingContext) -> Masked:
        """Mask a batch."""
        rng = context.rng(self.clock)
        part: Part = self.selector
        try:
            selection = self.selector.select(tokens, vocab, rng)
            check_selection(selection, tokens)
            warn_of_long_units(self.label, self.selector, selection, tokens, vocab, rng)
            part = self.replacement
            inputs = self.replacement.replace(tokens, selection, vocab, rng)
            check_inputs(inputs, tokens)
            part = self.target
            masked = self.target.build(tokens, Masked(inputs, selection), vocab, rng)
            check_type(masked, Masked)
        except ResultError as error:
            source = f"strategy {self.label!r}, {part.kind} {type(part).__name__}"
            raise ResultError(f"{source}: {error}") from error
        return masked

    @property
    def primary_clock(self) -> Clock:
        """The clock."""
        return self.clock

    @property
    def predicts(self) -> Predicts | None:
        """The form of the target; see :attr:`Strategy.predicts`."""
        return self.target.predicts

    def bounds(self, lengths: IntArray) -> tuple[IntArray, IntArray]:
        """Return the maximum lengths of inputs and predictions for any selection."""
        most = self.selector.bound(lengths)
        longest = self.replacement.bound(lengths, most)
        if self.target.each_input:
            return longest, longest
        return longest, self.target.bound(lengths, most)


def compose(
    selector: Selector | str,
    replacement: Replacement | str = "mix",
    target: Target | str = "labels",
    clock: Clock | str = "epoch",
) -> Strategy:
    """Combine any selector, replacement, target and clock.

    Args:
        selector: which tokens, by name or as a part.
        replacement: what is written there, by name or as a part.
        target: what must be predicted, by name or as a part.
        clock: when masks change, by name or as a part.

    Example:
        >>> from maskplug import part
        >>> compose(part("selector", "exact", rate=0.5), clock="never").label
        'compose@1'
    """
    return Composed(
        specs.resolve("selector", selector),
        specs.resolve("replacement", replacement),
        specs.resolve("target", target),
        specs.resolve("clock", clock),
        label="compose@1",
    )
