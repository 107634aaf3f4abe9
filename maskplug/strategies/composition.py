"""Strategies made of strategies: mixtures and chains."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from maskplug import spec as specs
from maskplug.context import MaskingContext
from maskplug.errors import OptionError, shortened
from maskplug.parts import Clock, Predicts, SelectionBound, Target
from maskplug.ragged import Ragged
from maskplug.strategies.assemble import assemble
from maskplug.strategy import Strategy
from maskplug.tokens import ABSENT, Masked, Selection, TokenBatch
from maskplug.types import BoolArray, IntArray, readonly, thresholds
from maskplug.validation.nesting import check_members, check_nesting
from maskplug.validation.options import are_weights, check_list
from maskplug.vocabulary import Vocabulary

#: Descriptions of the forms, for messages.
FORMS: dict[Predicts, str] = {
    "labels": "predicts labels in place",
    "order": "predicts labels in a random order",
    "targets": "generates targets",
}


@dataclass(frozen=True, repr=False)
class Mixture(Strategy):
    """A strategy that masks each sample with one of several strategies; see :func:`mixture`."""

    strategies: tuple[Strategy, ...]
    weights: tuple[float, ...]
    clock: Clock

    def __post_init__(self) -> None:
        check_members("strategies", self.strategies)
        check_nesting(self)
        check_list("weights", self.weights)
        if len(self.weights) != len(self.strategies):
            raise OptionError(
                f"option 'weights' has {len(self.weights)} values for {len(self.strategies)} "
                "strategies: one each"
            )
        if not are_weights(self.weights):
            raise OptionError(
                f"option 'weights' is {shortened(list(self.weights))}; weights are finite "
                "numbers, not negative, and not all zero"
            )
        by_form = {strategy.predicts: strategy for strategy in reversed(self._drawn)}
        mixed = [
            f"{_name(by_form[form])}, which {FORMS[form]}" for form in FORMS if form in by_form
        ]
        if len(mixed) > 1:
            raise OptionError(
                f"option 'strategies' mixes {mixed[0]}, and {mixed[1]}; mix strategies that "
                "predict in one form"
            )

    @property
    def _drawn(self) -> list[Strategy]:
        """The strategies with a weight above 0."""
        pairs = zip(self.strategies, self.weights, strict=True)
        return [strategy for strategy, weight in pairs if weight > 0.0]

    @property
    def predicts(self) -> Predicts | None:
        """The form of its strategies; None if none of them declares one."""
        return next((strategy.predicts for strategy in self._drawn if strategy.predicts), None)

    def choices(self, context: MaskingContext) -> IntArray:
        """Return the index of the strategy that masks each sample: int64."""
        rng = context.rng(self.clock)
        words = rng.bits("mixture", np.ones(len(context), np.int64)).astype(np.uint64)
        shares = np.cumsum(self.weights) / np.sum(self.weights)
        limits = thresholds(shares)
        limits[np.flatnonzero(self.weights)[-1] :] = 1 << 32
        return np.searchsorted(limits, words, side="right").astype(np.int64)

    def mask(self, tokens: TokenBatch, vocab: Vocabulary, context: MaskingContext) -> Masked:
        """Mask each group of samples with its strategy, then restore the order of the rows.

        A strategy that is drawn for no sample masks an empty batch, so that all batches have the
        same outputs (weights, annotations), whichever strategies are drawn.
        """
        vocab.maskable(tokens)  # errors name the sample in the batch, not in its group
        choices = self.choices(context)
        parts = []
        for i, (strategy, weight) in enumerate(zip(self.strategies, self.weights, strict=True)):
            rows = np.flatnonzero(choices == i)
            if len(rows):
                masked = strategy.mask(tokens.take(rows), vocab, context.take(rows))
                parts.append((rows, masked))
            elif weight > 0.0:
                if i not in self._empty_results:
                    masked = strategy.mask(tokens.take(rows), vocab, context.take(rows))
                    self._empty_results[i] = masked
                parts.append((rows, self._empty_results[i]))
        return assemble(tokens, parts)

    @cached_property
    def _empty_results(self) -> dict[int, Masked]:
        """The result of each strategy for an empty batch, which is always the same."""
        return {}

    def dry_run(self, vocab: Vocabulary, seed: int = 0) -> Masked:
        """Mask eight tokens with every strategy that can be drawn, then with the mixture."""
        for strategy in self._drawn:
            strategy.dry_run(vocab, seed)
        return super().dry_run(vocab, seed)

    @property
    def primary_clock(self) -> Clock:
        """The clock that redraws the choice of strategies."""
        return self.clock

    def bounds(self, lengths: IntArray) -> tuple[IntArray, IntArray]:
        """Return the maximum over all strategies."""
        inputs, outputs = zip(*(member.bounds(lengths) for member in self.strategies), strict=True)
        return np.maximum.reduce(inputs), np.maximum.reduce(outputs)


def _name(strategy: Strategy) -> str:
    return repr(strategy.label) if strategy.label else repr(strategy)


def mixture(
    strategies: tuple[Strategy, ...],
    weights: tuple[float, ...] | None = None,
    clock: Clock | str = "epoch",
) -> Strategy:
    """Mask each sample with one of several strategies, drawn at random by its key.

    Args:
        strategies: two or more, by name (``"span"``), as a mapping (``{"name": "span", "rate":
            0.3}``) or as objects. All must have labels in place, or all labels in a random order,
            or all targets. Their own clocks redraw their masks. If some have weights, the labels of
            the others have the weight 1.
        weights: relative frequency of each strategy; equal if omitted.
        clock: when the choice of strategies changes.

    Source: the mixture of denoisers of Tay et al., "UL2", 2023.
    """
    weights = (1.0,) * len(strategies) if weights is None else weights
    return Mixture(strategies, weights, specs.resolve("clock", clock))


@dataclass(frozen=True, repr=False)
class Chain(Strategy):
    """A strategy that applies several strategies one after another; see :func:`chain`."""

    strategies: tuple[Strategy, ...]
    target: Target | None

    def __post_init__(self) -> None:
        check_members("strategies", self.strategies)
        check_nesting(self)

    def mask(self, tokens: TokenBatch, vocab: Vocabulary, context: MaskingContext) -> Masked:
        """Mask the output of each stage with the next one, then build what to predict."""
        from maskplug.kernels.rows import follow, mark

        current = tokens
        empty: IntArray = np.zeros(0, np.int64)
        sources: IntArray | None = None  # None: every token is at its original position
        chosen: BoolArray = np.zeros(len(tokens.ids), np.bool_)
        annotations: dict[str, Any] = {}
        for stage, strategy in enumerate(self.strategies):
            masked = strategy.mask(current, vocab, context.scoped(str(stage)))
            spans, moved = masked.selection, masked.inputs.sources
            known = readonly(empty if sources is None else sources, np.int64)
            mark(chosen, known, spans.starts, spans.lengths)
            if moved is not None:
                annotations = {
                    name: np.where(moved < 0, ABSENT.get(name, 0), values[moved])
                    for name, values in annotations.items()
                }
                sources = moved if sources is None else readonly(follow(moved, sources), np.int64)
            annotations |= masked.annotations
            current = current.rewritten(masked.inputs)
        inputs = Ragged(current.ids, current.offsets, sources)
        selection = Selection.from_mask(chosen, tokens)
        if self.target is None:
            return replace(masked, inputs=inputs, selection=selection, annotations=annotations)
        rng = context.rng(self.primary_clock)
        built = self.target.build(tokens, Masked(inputs, selection), vocab, rng)
        return replace(built, annotations={**annotations, **built.annotations})

    @property
    def predicts(self) -> Predicts | None:
        """The form of its target, or of its last stage."""
        last = self.strategies[-1] if self.target is None else self.target
        return last.predicts

    @property
    def primary_clock(self) -> Clock:
        """The clock of the first stage."""
        return self.strategies[0].primary_clock

    def bounds(self, lengths: IntArray) -> tuple[IntArray, IntArray]:
        """Return the maximum lengths after all stages."""
        longest = outputs = lengths
        for strategy in self.strategies:
            longest, outputs = strategy.bounds(longest)
        if self.target is not None:
            bound = self.target.bound(lengths, SelectionBound(lengths, lengths, lengths))
            outputs = longest if self.target.each_input else bound
        return longest, outputs


def chain(strategies: tuple[Strategy, ...], target: Target | str | None = "labels") -> Strategy:
    """Apply several strategies one after another, each to the output of the previous one.

    Every stage has its own random draws: the same strategy twice draws two different masks.

    Args:
        strategies: by name, as a mapping or as objects, in order.
        target: what to predict of the original: "labels" (all tokens that any stage selected;
            stages must then work in place), "original" (the whole text), or another target; null
            for what the last stage predicts of its own input.

    Source: the combined noises of Lewis et al., "BART", 2020, section 2.2.
    """
    return Chain(strategies, None if target is None else specs.resolve("target", target))
