"""Pairs of texts: noise on one side of a translation, summarization or classification example."""

from __future__ import annotations

from maskplug.composed import compose
from maskplug.parts import Clock, Schedule
from maskplug.replacements import Mix
from maskplug.selectors import Independent
from maskplug.strategy import Strategy


def word_dropout(rate: Schedule | float = 0.1, clock: Clock | str = "epoch") -> Strategy:
    """Whole words become masks, each on its own; one word of every sample stays.

    Args:
        rate: probability of each word, from 0 to 1, or a schedule.
        clock: when masks change.

    Source: Sennrich et al., "Edinburgh neural machine translation systems for WMT 16", 2016; words
    are blanked rather than zeroed, as in Lample et al., "Unsupervised machine translation using
    monolingual corpora only", 2018.
    """
    return compose(
        Independent(rate, unit="word", always_one=False, leave_one=True),
        Mix(mask=1.0, random=0.0),
        clock=clock,
    )
