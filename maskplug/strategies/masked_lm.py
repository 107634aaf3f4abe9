"""Masked language modelling: hide tokens, predict them in place."""

from __future__ import annotations

from maskplug.composed import compose
from maskplug.parts import Clock, Schedule
from maskplug.replacements import Mix
from maskplug.selectors import Exact, Nothing, Spans, Words
from maskplug.strategy import Strategy
from maskplug.units import Unit


def none() -> Strategy:
    """No masking: inputs as they are, nothing to predict. The baseline."""
    return compose(Nothing(), Mix(mask=0.0, random=0.0), clock="never")


def static(
    rate: Schedule | float = 0.15, unit: Unit = "token", mask: float = 0.8, random: float = 0.1
) -> Strategy:
    """One mask for each sample, the same in every epoch.

    As ``dynamic`` with a clock that stands still.

    Args:
        rate: share of the tokens (or words) that are chosen, from 0 to 1, or a schedule.
        unit: "token", "word" for whole words, or "sentence".
        mask: share of the chosen that becomes the mask token.
        random: share of the chosen that becomes a random token; the rest stays as it is.
    """
    return dynamic(rate, unit, mask, random, clock="never")


def dynamic(
    rate: Schedule | float = 0.15,
    unit: Unit = "token",
    mask: float = 0.8,
    random: float = 0.1,
    clock: Clock | str = "epoch",
) -> Strategy:
    """A new mask for each sample in every epoch: RoBERTa's dynamic masking.

    Args:
        rate: share of the tokens (or words) that are chosen, from 0 to 1, or a schedule.
        unit: "token", "word" for whole words, or "sentence".
        mask: share of the chosen that becomes the mask token.
        random: share of the chosen that becomes a random token; the rest stays as it is.
        clock: when masks change.

    Source: Liu et al., "RoBERTa", 2019.
    """
    return compose(Exact(rate, unit), Mix(mask, random, unit="span"), clock=clock)


def whole_word(
    rate: Schedule | float = 0.15,
    mask: float = 0.8,
    random: float = 0.1,
    clock: Clock | str = "epoch",
) -> Strategy:
    """Whole words, up to a budget of tokens; mask, random or unchanged is decided by word.

    Args:
        rate: share of the tokens, from 0 to 1, or a schedule.
        mask: share of the chosen words that become mask tokens.
        random: share of the chosen words that become random tokens; the rest stay as they are.
        clock: when masks change.

    Source: whole word masking of google-research/bert (2019).
    """
    return compose(Words(rate), Mix(mask, random, unit="span"), clock=clock)


def span(
    rate: Schedule | float = 0.15,
    p: float = 0.2,
    max_length: int = 10,
    unit: Unit = "word",
    mask: float = 0.8,
    random: float = 0.1,
    clock: Clock | str = "epoch",
) -> Strategy:
    """Spans of geometric length; mask, random or unchanged is decided by span.

    Args:
        rate: share of the units, from 0 to 1, or a schedule.
        p: of the geometric law of lengths; with the defaults a span has 3.8 units on average.
        max_length: the longest span, in units.
        unit: "word" (spans of whole words) or "token".
        mask: share of the spans that become mask tokens.
        random: share of the spans that become random tokens; the rest stay as they are.
        clock: when masks change.

    Source: Joshi et al., "SpanBERT", 2020.
    """
    return compose(Spans(rate, p, max_length, unit), Mix(mask, random, unit="span"), clock=clock)
