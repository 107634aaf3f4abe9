"""Text pairs: noise on one side of a translation, summarization or classification example."""

from __future__ import annotations

from typing import Literal

from maskplug.parts import Clock, Schedule
from maskplug.preprocessing.resource import Resource
from maskplug.replacements import Delete, Mix, Shuffle, Switch, Translate
from maskplug.selectors import Independent, InDictionary, Nothing, Switches, UniformCount
from maskplug.strategies.composed import compose
from maskplug.strategy import Strategy
from maskplug.units import Unit


def word_dropout(
    rate: Schedule | float = 0.1,
    clock: Clock | str = "epoch",
    how: Literal["mask", "delete"] = "mask",
) -> Strategy:
    """Mask or delete each word independently; one word of every sample stays visible.

    Args:
        rate: probability of each word, 0 to 1, or a schedule.
        clock: when masks change.
        how: "mask" (a mask for each token, labels in place) or "delete" (words are removed, and the
            target is the original).

    Source: Sennrich et al., "Edinburgh neural machine translation systems for WMT 16", 2016, which
    zeroes embeddings; masking and deleting as in Lample et al., "Unsupervised machine translation
    using monolingual corpora only", 2018.
    """
    words = Independent(rate, unit="word", always_one=False, leave_one=True)
    if how == "delete":
        return compose(words, Delete(), "original", clock)
    return compose(words, Mix(mask=1.0, random=0.0), clock=clock)


def switchout(tau: float = 1.0, unit: Unit = "token", clock: Clock | str = "epoch") -> Strategy:
    """Replace a few tokens with other, uniformly drawn ordinary tokens (SwitchOut).

    The number n of changes has P(n) ∝ exp(-n τ), from 1 to all units; then each unit changes with
    probability n / units, so that n change on average. Of ten tokens, 1.6 change on average with τ
    = 1, and none in a fifth of the samples. Labels are the original tokens at changed positions.

    Args:
        tau: at least 0; larger values change fewer tokens. The paper tunes its inverse.
        unit: "token", "word" (every token of a word changes) or "sentence".
        clock: when the changes change.

    Source: Wang et al., "SwitchOut: an efficient data augmentation algorithm for neural machine
    translation", 2018; it is applied to both sides.
    """
    return compose(Switches(tau, unit), Switch(), clock=clock)


def shuffle(distance: int = 3, unit: Unit = "word", clock: Clock | str = "epoch") -> Strategy:
    """Move words by a few positions at random; the target is the original.

    Args:
        distance: at least 1; words move by at most ``distance`` - 1 positions.
        unit: "word" (whole words move), "token" or "sentence".
        clock: when the order changes.

    Source: Lample et al., "Unsupervised machine translation using monolingual corpora only", 2018.
    """
    return compose(Nothing(), Shuffle(distance, unit), "original", clock)


def code_switch(
    dictionary: Resource,
    rate: Schedule | float = 0.3,
    unit: Unit = "word",
    clock: Clock | str = "epoch",
) -> Strategy:
    """Replace words of a dictionary with a translation; the target is the original (mRASP).

    Samples without a word of the dictionary are unchanged.

    Args:
        dictionary: a file with lines ``source ids TAB target ids``, ids separated by spaces.
            Several lines with the same source are translations of equal probability. ``maskplug
            dictionary`` creates it from a text dictionary.
        rate: probability of each word in the dictionary, 0 to 1, or a schedule.
        unit: unit to look up: "word", "token" or "sentence".
        clock: when the translations change.

    Source: random aligned substitution of Lin et al., "Pre-training multilingual neural machine
    translation by leveraging alignment information" (mRASP), 2020.
    """
    selector = InDictionary(dictionary, rate, unit)
    return compose(selector, Translate(dictionary), "original", clock)


def cmlm(unit: Unit = "token", clock: Clock | str = "epoch") -> Strategy:
    """Mask a uniformly drawn number of tokens, from one to all (conditional masked language model).

    For the target side of a translation pair: a model trained in this way decodes in a few
    iterations, starting from a fully masked target.

    Args:
        unit: unit to count and mask: "token", "word" or "sentence".
        clock: when masks change.

    Source: Ghazvininejad et al., "Mask-Predict: parallel decoding of conditional masked language
    models", 2019. Its code never masks all tokens, and may mask the end of the sentence.
    """
    return compose(UniformCount(unit), Mix(mask=1.0, random=0.0), clock=clock)
