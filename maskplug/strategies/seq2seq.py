"""Sequence to sequence: hide spans or sentences and generate them."""

from __future__ import annotations

from maskplug.parts import Clock, Schedule
from maskplug.replacements import Delete, GapMask, Mix, Sentinels
from maskplug.selectors import Exact, Fragment, GapSentences, MeanSpans, Suffix
from maskplug.selectors.gap_sentences import Choice
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
    """Replace spans with sentinels; the targets are each sentinel and its span (T5).

    The numbers of hidden tokens and of spans are exact, spans never touch, and inputs and targets
    together restore the original (``maskplug.objectives.reconstruct.from_sentinels``).

    Args:
        rate: share of the units to hide, 0 to below 1, or a schedule.
        mean_length: mean length of the spans in units, at least 1.
        unit: "token", "word" or "sentence".
        final_sentinel: append one more sentinel to the targets.
        eos: append the end-of-sequence token to the targets.
        clock: when spans change.

    Source: Raffel et al., "T5", 2020, section 3.3.4.
    """
    return compose(
        MeanSpans(rate, mean_length, unit), Sentinels(), SentinelsTarget(final_sentinel, eos), clock
    )


def t5_iid(
    rate: Schedule | float = 0.15,
    unit: Unit = "token",
    final_sentinel: bool = False,
    eos: bool = True,
    clock: Clock | str = "epoch",
) -> Strategy:
    """Replace single tokens, and runs of them, with sentinels (T5's baseline objective).

    Args:
        rate: share of the units to hide, 0 to 1, or a schedule; the number is exact on average.
        unit: "token", "word" or "sentence".
        final_sentinel: append one more sentinel to the targets.
        eos: append the end-of-sequence token to the targets.
        clock: when the selection changes.

    Source: Raffel et al., "T5", 2020, section 3.1.4; its number of tokens is random.
    """
    return compose(Exact(rate, unit), Sentinels(), SentinelsTarget(final_sentinel, eos), clock)


def prefix_lm(
    rate: Schedule | float = 0.5, eos: bool = True, clock: Clock | str = "epoch"
) -> Strategy:
    """Split each text at a random position: the inputs are its beginning, the targets its end.

    Args:
        rate: mean share of the tokens to generate, 0 to 0.5, or a schedule; the position of the
            split is uniform.
        eos: append the end-of-sequence token to the targets.
        clock: when the split changes.

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
    """Hide one fragment of each text from the encoder; the decoder generates it (MASS).

    The targets have the annotations ``position_ids`` and ``decoder_input_ids``: the decoder reads
    only the fragment, at its positions in the text.

    Args:
        rate: length of the fragment as a share of the tokens, 0 to 1, or a schedule.
        edges: probability of a fragment at the start, and also of one at the end, 0 to 0.5.
        mask: share of the fragment's tokens that become mask tokens for the encoder, 0 to 1.
        random: share of them that become random tokens, 0 to 1; the rest is unchanged.
        clock: when the fragment changes.

    Source: Song et al., "MASS", 2019.
    """
    return compose(Fragment(rate, edges), Mix(mask, random), FragmentTarget(), clock)


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
