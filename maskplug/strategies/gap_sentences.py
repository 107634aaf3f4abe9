"""Gap sentences: whole sentences are hidden, and the model writes them."""

from __future__ import annotations

from maskplug.parts import Clock, Schedule
from maskplug.replacements import GapMask
from maskplug.selectors import GapSentences
from maskplug.selectors.gap_sentences import Choice
from maskplug.strategies.composed import compose
from maskplug.strategy import Strategy
from maskplug.targets import Chosen


def gap_sentences(
    rate: Schedule | float = 0.3,
    choose: Choice = "principal",
    sequential: bool = False,
    unique: bool = False,
    token: str | int | None = None,
    keep: float = 0.0,
    clock: Clock | str = "epoch",
) -> Strategy:
    """PEGASUS: each chosen sentence becomes one mask; the targets are these sentences in order.

    Sentences must be known, by a ``sentence_starts`` layer or the vocabulary's ``sentence_end``.
    ``rate`` times their number are chosen, rounded down, and at least one; of two sentences or more
    one stays. Without "random" and ``keep`` nothing is drawn: no clock changes anything then.

    Args:
        rate: share of the sentences, from 0 to below 1, or a schedule.
        choose: "principal", those that share most with the rest of the text (F of ROUGE-1 over
            token ids, without those that end sentences; of equal ones the later); "random"; or
            "lead", the first.
        sequential: for "principal", take one after the other, each so that all taken together
            share most with the rest. Otherwise each is scored by itself.
        unique: for "principal", count every id once.
        token: the special token that is written, by its text or its id. Without it ``<mask_1>``
            where the vocabulary has one, and otherwise the mask.
        keep: probability of a chosen sentence to stay in the input as well (0.1 in PEGASUS-large).
        clock: when sentences are drawn anew.

    Source: Zhang et al., "PEGASUS", 2020; the defaults are its best variant, Ind-Orig.
    """
    selector = GapSentences(rate, choose, sequential, unique)
    drawn = choose == "random" or keep > 0.0
    return compose(selector, GapMask(token, keep), Chosen(), clock if drawn else "never")
