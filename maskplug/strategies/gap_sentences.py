"""Gap sentences: mask whole sentences and generate them."""

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
    """Replace whole sentences with one mask each; the targets are these sentences (PEGASUS).

    Requires a ``sentence_starts`` annotation or the vocabulary's ``sentence_end``. ``rate`` times
    the number of sentences are selected, rounded down, and at least one; at least one sentence
    stays in texts of two or more. Unless ``choose`` is "random" or ``keep`` is above 0, masks are
    deterministic and the clock has no effect.

    Args:
        rate: share of the sentences, 0 to below 1, or a schedule.
        choose: "principal" (the sentences with the highest F measure of ROUGE-1 against the rest of
            the text, computed over token ids without sentence-ending tokens; of equal scores the
            later one), "random", or "lead" (the first ones).
        sequential: for "principal", select sentences one by one, each maximizing the score of all
            selected sentences together; if False, each sentence is scored separately.
        unique: for "principal", count every id once.
        token: special token to write, by text or id. By default ``<mask_1>`` if the vocabulary has
            it, otherwise the mask.
        keep: probability that a selected sentence stays in the input, 0 to 1 (0.1 in
            PEGASUS-large).
        clock: when random choices change.

    Source: Zhang et al., "PEGASUS", 2020; the defaults are its best variant, Ind-Orig.
    """
    selector = GapSentences(rate, choose, sequential, unique)
    random = choose == "random" or keep > 0.0
    return compose(selector, GapMask(token, keep), Chosen(), clock if random else "never")
