"""Objectives beside masked language modelling: a discriminator's, and one of random order."""

from __future__ import annotations

from maskplug.parts import Clock, Schedule
from maskplug.replacements import Mix
from maskplug.selectors import Exact, Ngrams
from maskplug.strategies.composed import compose
from maskplug.strategy import Strategy
from maskplug.targets import Permutation
from maskplug.units import Unit


def electra(
    rate: Schedule | float = 0.15, mask: float = 0.85, clock: Clock | str = "epoch"
) -> Strategy:
    """The generator's half of ELECTRA: masks or nothing at the chosen tokens, never random tokens.

    ``objectives.electra`` makes the discriminator's half of what the generator samples there.

    Args:
        rate: share of the tokens that are chosen, from 0 to 1, or a schedule; all of them distinct.
        mask: share of the chosen that becomes the mask token; the rest stays, and is predicted.
        clock: when masks change.

    Source: Clark et al., "ELECTRA", 2020. Their code draws positions with replacement, so that
    fewer are chosen than were asked for.
    """
    return compose(Exact(rate), Mix(mask, random=0.0, unit="span"), clock=clock)


def permutation(
    rate: Schedule | float = 1 / 6,
    max_n: int = 5,
    unit: Unit = "word",
    clock: Clock | str = "epoch",
) -> Strategy:
    """N-grams to be predicted a token at a time, in a random order; nothing is written over them.

    The layer ``order`` has the rank of each chosen token and -1 elsewhere; ``objectives.xlnet``
    makes of it XLNet's ``perm_mask`` and ``target_mapping``, without which a model sees what it
    must predict.

    Args:
        rate: share of the units that are chosen, from 0 to 1, or a schedule.
        max_n: the longest n-gram, in units; n is drawn in proportion to 1 / n.
        unit: "word" (n-grams of whole words), "token" or "sentence".
        clock: when n-grams and orders change.

    Source: Yang et al., "XLNet", 2019. Their code counts tokens where it means words, and keeps the
    n-grams apart by giving each a stretch of text of its own; here all places are equally likely.
    """
    return compose(
        Ngrams(rate, max_n, "inverse", unit),
        Mix(mask=0.0, random=0.0, unit="span"),
        Permutation(),
        clock,
    )
