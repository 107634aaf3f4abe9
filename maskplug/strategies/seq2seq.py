"""Sequence to sequence: hide spans, generate what was hidden."""

from __future__ import annotations

from maskplug.parts import Clock, Schedule
from maskplug.replacements import Delete, Mix, Sentinels
from maskplug.selectors import Exact, Fragment, MeanSpans, Suffix
from maskplug.strategies.composed import compose
from maskplug.strategy import Strategy
from maskplug.targets import Chosen
from maskplug.targets import Fragment as FragmentTarget
from maskplug.targets import Sentinels as SentinelsTarget
from maskplug.units import Unit


def t5(
    rate: Schedule | float = 0.15,
    mean_length: float = 3.0,
    unit: Unit = "token",
    final_sentinel: bool = False,
    eos: bool = True,
    clock: Clock | str = "epoch",
) -> Strategy:
    """Spans become sentinels; the targets say what each stands for: T5's span corruption.

    The numbers of tokens and of spans are exact, spans never touch, and inputs and targets together
    give back the original (``maskplug.objectives.reconstruct.from_sentinels``).

    Args:
        rate: share of the units that is hidden, from 0 to below 1, or a schedule.
        mean_length: of the spans, in units; at least 1.
        unit: "token", "word" or "sentence".
        final_sentinel: whether one more sentinel ends the targets.
        eos: whether the end-of-sequence token does.
        clock: when spans change.

    Source: Raffel et al., "T5", 2020, section 3.3.4.
    """
    return compose(
        MeanSpans(rate, mean_length, unit),
        Sentinels(),
        SentinelsTarget(final_sentinel, eos),
        clock,
    )


def t5_iid(
    rate: Schedule | float = 0.15,
    unit: Unit = "token",
    final_sentinel: bool = False,
    eos: bool = True,
    clock: Clock | str = "epoch",
) -> Strategy:
    """Single tokens become sentinels, neighbours one of them: T5's baseline objective.

    Args:
        rate: share of the units that is hidden, from 0 to 1, or a schedule.
        unit: "token", "word" or "sentence".
        final_sentinel: whether one more sentinel ends the targets.
        eos: whether the end-of-sequence token does.
        clock: when the choice changes.

    Source: Raffel et al., "T5", 2020, section 3.1.4; its number of tokens is random, here it is
    exact.
    """
    return compose(Exact(rate, unit), Sentinels(), SentinelsTarget(final_sentinel, eos), clock)


def prefix_lm(
    rate: Schedule | float = 0.5, eos: bool = True, clock: Clock | str = "epoch"
) -> Strategy:
    """The inputs are the beginning of a text, the targets its end.

    Args:
        rate: mean share of the tokens that is generated, from 0 to 0.5, or a schedule; the place of
            the cut is uniform.
        eos: whether the end-of-sequence token ends the targets.
        clock: when the cut changes.

    Source: Raffel et al., "T5", 2020, section 3.3.1.
    """
    return compose(Suffix(rate), Delete(), Chosen(eos), clock)


def mass(
    rate: Schedule | float = 0.5,
    edges: float = 0.2,
    mask: float = 0.8,
    random: float = 0.1,
    clock: Clock | str = "epoch",
) -> Strategy:
    """One fragment of each text is hidden from the encoder, and the decoder generates it.

    The targets come with ``position_ids`` and ``decoder_input_ids``: the decoder reads nothing but
    the fragment, at the places that it has in the text.

    Args:
        rate: share of the tokens that the fragment has, from 0 to 1, or a schedule.
        edges: probability of a fragment at the start, and of one at the end; from 0 to 0.5.
        mask: share of the fragment's tokens that the encoder reads as mask tokens.
        random: share that it reads as random tokens; the rest stay as they are.
        clock: when the fragment changes.

    Source: Song et al., "MASS", 2019.
    """
    return compose(Fragment(rate, edges), Mix(mask, random), FragmentTarget(), clock)
