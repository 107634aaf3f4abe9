"""Strategies made of strategies: a mixture, and a chain."""

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

#: What strategies of each form do, for messages.
FORMS: dict[Predicts, str] = {
    "labels": "predicts labels in place",
    "order": "predicts labels in a random order",
    "targets": "generates targets",
}


@dataclass(frozen=True, repr=False)
class Mixture(Strategy):
    """Masks each sample with one of several strategies; see :func:`mixture`."""

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
        members = {strategy.predicts: strategy for strategy in reversed(self._drawn)}
        mixed = [(form, members[form]) for form in FORMS if form in members]
        if len(mixed) > 1:
            (form, one), (other_form, other) = mixed[:2]
            raise OptionError(
                f"option 'strategies' mixes {_name(one)}, which {FORMS[form]}, and {_name(other)}, "
                f"which {FORMS[other_form]}; mix strategies that predict in one form"
            )

    @property
    def _drawn(self) -> list[Strategy]:
        """The strategies that can be drawn."""
        both = zip(self.strategies, self.weights, strict=True)
        return [made for made, weight in both if weight > 0.0]

    @property
    def predicts(self) -> Predicts | None:
        """The form of its strategies; None where none of them declares one."""
        return next((made.predicts for made in self._drawn if made.predicts is not None), None)

    def choices(self, context: MaskingContext) -> IntArray:
        """Which strategy masks each sample: int64, from 0 to the number of strategies - 1."""
        rng = context.rng(self.clock)
        words = rng.bits("mixture", np.ones(len(context), np.int64)).astype(np.uint64)
        shares = np.cumsum(self.weights) / np.sum(self.weights)
        limits = thresholds(shares)
        limits[np.flatnonzero(self.weights)[-1] :] = 1 << 32
        return np.searchsorted(limits, words, side="right").astype(np.int64)

    def mask(self, tokens: TokenBatch, vocab: Vocabulary, context: MaskingContext) -> Masked:
        """Group the samples by their strategy, mask each group, put the rows back in order.

        A strategy without samples masks a batch of none: what it gives besides inputs and
        predictions (weights, layers) all rows have, whichever strategies the batch draws.
        """
        vocab.maskable(tokens)  # a bad id is named by its sample in the batch, not in its group
        choices = self.choices(context)
        parts = []
        for number, (made, weight) in enumerate(zip(self.strategies, self.weights, strict=True)):
            rows = np.flatnonzero(choices == number)
            if len(rows):
                parts.append((rows, made.mask(tokens.take(rows), vocab, context.take(rows))))
            elif weight > 0.0:
                if number not in self._without_samples:
                    self._without_samples[number] = made.mask(
                        tokens.take(rows), vocab, context.take(rows)
                    )
                parts.append((rows, self._without_samples[number]))
        return assemble(tokens, parts)

    @cached_property
    def _without_samples(self) -> dict[int, Masked]:
        """What each strategy makes of no samples, which is always the same."""
        return {}

    def dry_run(self, vocab: Vocabulary, seed: int = 0) -> Masked:
        """As any strategy's; every strategy that can be drawn is tried by itself before."""
        for made in self._drawn:
            made.dry_run(vocab, seed)
        return super().dry_run(vocab, seed)

    @property
    def primary_clock(self) -> Clock:
        """The clock that redraws who is masked how."""
        return self.clock

    def bounds(self, lengths: IntArray) -> tuple[IntArray, IntArray]:
        """The greatest of all."""
        inputs, outputs = zip(*(made.bounds(lengths) for made in self.strategies), strict=True)
        return np.maximum.reduce(inputs), np.maximum.reduce(outputs)


def _name(strategy: Strategy) -> str:
    return repr(strategy.label) if strategy.label else repr(strategy)


def mixture(
    strategies: tuple[Strategy, ...],
    weights: tuple[float, ...] | None = None,
    clock: Clock | str = "epoch",
) -> Strategy:
    """Each sample is masked by one of several strategies, drawn by its key.

    Args:
        strategies: two or more, by name (``"span"``), by mapping (``{"name": "span", "rate":
            0.3}``) or as they are. All have labels in place, or all have labels in a random order,
            or all have targets. Their own clocks redraw their masks. Where one has weights, the
            labels of the others weigh 1.
        weights: how often each is drawn, relative to the others; without them all alike.
        clock: when it is drawn anew who is masked how.

    Source: the mixture of denoisers of Tay et al., "UL2", 2023.
    """
    each = (1.0,) * len(strategies) if weights is None else weights
    return Mixture(strategies, each, specs.resolve("clock", clock))


@dataclass(frozen=True, repr=False)
class Chain(Strategy):
    """Masks with one strategy after the other; see :func:`chain`."""

    strategies: tuple[Strategy, ...]
    target: Target | None

    def __post_init__(self) -> None:
        check_members("strategies", self.strategies)
        check_nesting(self)

    def mask(self, tokens: TokenBatch, vocab: Vocabulary, context: MaskingContext) -> Masked:
        """Give every stage what the one before it made; then say what to predict."""
        from maskplug.kernels.follow import follow, mark

        given = tokens
        nowhere: IntArray = np.zeros(0, np.int64)
        sources: IntArray | None = None  # None: every token stands where it stood
        chosen: BoolArray = np.zeros(len(tokens.ids), np.bool_)
        annotations: dict[str, Any] = {}
        for number, made in enumerate(self.strategies):
            masked = made.mask(given, vocab, context.scoped(str(number)))
            spans, moved = masked.selection, masked.inputs.sources
            mark(
                chosen,
                readonly(nowhere if sources is None else sources, np.int64),
                spans.starts,
                spans.lengths,
            )
            if moved is not None:
                new = moved < 0
                annotations = {
                    name: np.where(new, ABSENT.get(name, 0), old[moved])
                    for name, old in annotations.items()
                }
                sources = moved if sources is None else readonly(follow(moved, sources), np.int64)
            annotations |= masked.annotations
            given = given.rewritten(masked.inputs)
        inputs = Ragged(given.ids, given.offsets, sources)
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
        """What each stage can make of the longest rows of the one before."""
        longest = outputs = lengths
        for made in self.strategies:
            longest, outputs = made.bounds(longest)
        if self.target is not None:
            bound = self.target.bound(lengths, SelectionBound(lengths, lengths, lengths))
            outputs = longest if self.target.each_input else bound
        return longest, outputs


def chain(strategies: tuple[Strategy, ...], target: Target | str | None = "labels") -> Strategy:
    """One strategy after the other, each masking what the one before it left.

    Every stage draws for itself, so that the same strategy twice masks two different times.

    Args:
        strategies: by name, by mapping or as they are, in the order of their work.
        target: what to predict of the original: "labels" (all that any stage chose; stages must
            then work in place), "original" (the whole text), …; null for what the last stage
            predicts of the text that it was given.

    Source: the combined noises of Lewis et al., "BART", 2020, section 2.2.
    """
    return Chain(strategies, None if target is None else specs.resolve("target", target))
