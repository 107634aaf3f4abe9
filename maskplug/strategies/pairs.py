"""Pairs of texts: noise on one side of a translation, summarization or classification example."""

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
    """Whole words become masks or are left out, each on its own; one word of every sample stays.

    Args:
        rate: probability of each word, from 0 to 1, or a schedule.
        clock: when masks change.
        how: "mask" writes a mask for each token (and its label is predicted, where the model
            predicts anything there); "delete" leaves the words out (the target is the original).

    Source: Sennrich et al., "Edinburgh neural machine translation systems for WMT 16", 2016; words
    are blanked rather than zeroed, or left out, as in Lample et al., "Unsupervised machine
    translation using monolingual corpora only", 2018.
    """
    words = Independent(rate, unit="word", always_one=False, leave_one=True)
    if how == "delete":
        return compose(words, Delete(), "original", clock)
    return compose(words, Mix(mask=1.0, random=0.0), clock=clock)


def switchout(tau: float = 1.0, unit: Unit = "token", clock: Clock | str = "epoch") -> Strategy:
    """A few tokens become other tokens, drawn evenly: never the same, never special.

    The number n of changes has P(n) ∝ exp(-n τ), from 1 to all; then each unit changes with
    probability n / units, so that n change on average. Of ten tokens 1.6 do with τ = 1, and in a
    fifth of the samples none. Labels are the original tokens where they changed.

    Args:
        tau: from 0 up; a greater one makes fewer changes. The paper tunes its inverse.
        unit: "token", or "word" (every token of a word changes).
        clock: when the changes change.

    Source: Wang et al., "SwitchOut: an efficient data augmentation algorithm for neural machine
    translation", 2018; it is used on both sides.
    """
    return compose(Switches(tau, unit), Switch(), clock=clock)


def shuffle(distance: int = 3, unit: Unit = "word", clock: Clock | str = "epoch") -> Strategy:
    """Words change places with near ones; the target is the original.

    Args:
        distance: no word moves by more than ``distance`` - 1 places; 1 leaves them in order.
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
    """Words that are in a dictionary become one of their translations; the target is the original.

    A sample without any such word stays as it is.

    Args:
        dictionary: a file with lines ``source ids TAB target ids``, ids with blanks between them;
            several lines with one source are several translations, all equally likely. ``maskplug
            dictionary`` makes it from a dictionary in text.
        rate: probability of each word that is there, from 0 to 1, or a schedule.
        unit: what is looked up: "word" or "token".
        clock: when the words change.

    Source: random aligned substitution of Lin et al., "Pre-training multilingual neural machine
    translation by leveraging alignment information" (mRASP), 2020.
    """
    selector = InDictionary(dictionary, rate, unit)
    return compose(selector, Translate(dictionary), "original", clock)


def cmlm(unit: Unit = "token", clock: Clock | str = "epoch") -> Strategy:
    """Any number of tokens, from one to all, become masks; the labels are the originals.

    For the target side of a pair: a model that is trained so writes a sentence in a few rounds,
    beginning with nothing but masks.

    Args:
        unit: what is counted and hidden: "token" or "word".
        clock: when masks change.

    Source: the conditional masked language model of Ghazvininejad et al., "Mask-Predict: parallel
    decoding of conditional masked language models", 2019. Its code never hides all tokens, and may
    hide the end of the sentence.
    """
    return compose(UniformCount(unit), Mix(mask=1.0, random=0.0), clock=clock)
