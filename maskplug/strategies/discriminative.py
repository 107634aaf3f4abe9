"""ELECTRA's replaced token detection and XLNet's permutation language modelling."""

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
    """Mask tokens for ELECTRA's generator: each selected token becomes a mask or is unchanged.

    ``objectives.electra`` builds the discriminator's inputs and labels from the generator's
    samples.

    Args:
        rate: share of the tokens, 0 to 1, or a schedule; the number is exact.
        mask: share of the selected tokens that become the mask token, 0 to 1; the rest is
            unchanged, and predicted as well.
        clock: when masks change.

    Source: Clark et al., "ELECTRA", 2020. Their code draws positions with replacement, so that
    fewer than the requested number of tokens are masked.
    """
    return compose(Exact(rate), Mix(mask, random=0.0, unit="span"), clock=clock)


def permutation(
    rate: Schedule | float = 1 / 6,
    max_n: int = 5,
    unit: Unit = "word",
    clock: Clock | str = "epoch",
) -> Strategy:
    """Select n-grams to predict in a random order of their tokens; inputs are unchanged (XLNet).

    The annotation ``order`` of the result has the rank of each selected token, and -1 elsewhere.
    ``objectives.xlnet`` converts it to XLNet's ``perm_mask`` and ``target_mapping``; without them a
    model sees the tokens that it must predict.

    Args:
        rate: share of the units, 0 to 1, or a schedule.
        max_n: maximum length of an n-gram in units; n is drawn in proportion to 1 / n.
        unit: "word" (n-grams of whole words), "token" or "sentence".
        clock: when n-grams and orders change.

    Source: Yang et al., "XLNet", 2019. Their code counts tokens instead of words, and separates the
    n-grams by giving each a segment of the text; here all arrangements are equally likely.
    """
    return compose(
        Ngrams(rate, max_n, "inverse", unit),
        Mix(mask=0.0, random=0.0, unit="span"),
        Permutation(),
        clock,
    )
