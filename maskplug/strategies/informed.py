"""Masked language modelling that knows more than tokens: phrases, names, languages, scores."""

from __future__ import annotations

from typing import Literal

from maskplug.parts import Clock, Schedule
from maskplug.preprocessing.resource import Resource
from maskplug.replacements import Mix
from maskplug.selectors import ByLanguage, Phrases, Salient, Weighted
from maskplug.strategies.composed import compose
from maskplug.strategy import Strategy
from maskplug.targets import LanguageLabels


def pmi(
    ngrams: Resource,
    rate: Schedule | float = 0.15,
    mask: float = 0.8,
    random: float = 0.1,
    clock: Clock | str = "epoch",
) -> Strategy:
    """Phrases of a list as well as words, each as a whole, up to a budget of tokens.

    Args:
        ngrams: a file of phrases, one a line: token ids separated by blanks, and a tab and a score
            or not. ``maskplug ngrams`` makes one of a corpus.
        rate: share of the tokens, from 0 to 1, or a schedule.
        mask: share of the chosen phrases and words that become mask tokens.
        random: share of them that become random tokens; the rest stay as they are.
        clock: when masks change.

    Source: Levine et al., "PMI-Masking: principled masking of correlated spans", 2021.
    """
    return compose(Phrases(ngrams, rate), Mix(mask, random, unit="span"), clock=clock)


def salient(
    spans: int = 1,
    rate: Schedule | float | None = None,
    otherwise: Literal["span", "nothing"] = "span",
    mask: float = 1.0,
    random: float = 0.0,
    clock: Clock | str = "epoch",
) -> Strategy:
    """Whole salient spans, such as names and dates, which the layer ``salient`` marks.

    Args:
        spans: how many of a sample's spans are chosen, where ``rate`` is not given.
        rate: share of the sample's tokens, from 0 to 1, or a schedule: spans are chosen in random
            order until it is reached.
        otherwise: what is chosen where a sample has no salient span: "span" (geometric spans of
            words, at ``rate`` or 0.15), or "nothing".
        mask: share of the chosen spans that become mask tokens.
        random: share of them that become random tokens; the rest stay as they are.
        clock: when masks change.

    The layer has a whole number for each token: 0 outside of spans, the same number above 0 on the
    neighbouring tokens of one. ``maskplug.salient_layer`` makes it.

    Source: Guu et al., "REALM: retrieval-augmented language model pre-training", 2020.
    """
    return compose(Salient(spans, rate, otherwise), Mix(mask, random, unit="span"), clock=clock)


def tlm(
    rate: Schedule | float = 0.15,
    mask: float = 0.8,
    random: float = 0.1,
    clock: Clock | str = "epoch",
) -> Strategy:
    """Translation language modelling: masks on both sides of a pair, each predicted from both.

    Args:
        rate: probability of each token, from 0 to 1, or a schedule; at least one token of each
            language of a row is chosen.
        mask: share of the chosen that becomes the mask token.
        random: share of the chosen that becomes a random token; the rest stays as it is.
        clock: when masks change.

    Rows hold two languages (or more) one after the other, and the layer ``languages`` says which;
    ``maskplug.objectives.tlm.concatenate`` makes them of two batches. The result has the layers
    ``position_ids``, which begin anew with each language, and ``langs``.

    Source: Conneau and Lample, "Cross-lingual language model pretraining", 2019, whose code may
    also mask the last end-of-sequence token.
    """
    return compose(ByLanguage(rate), Mix(mask, random), LanguageLabels(), clock)


def weighted(
    scores: Resource | None = None,
    power: float = 1.0,
    exact: bool = True,
    rate: Schedule | float = 0.15,
    mask: float = 0.8,
    random: float = 0.1,
    clock: Clock | str = "epoch",
) -> Strategy:
    """Tokens by scores: frequent, rare or informative ones more often than others.

    Args:
        scores: a file with one number a line, one for each id of the vocabulary, or a ``.npy``
            file; without it the layer ``scores`` of the batch, a number for each token.
        power: to which scores are raised; with counts, -0.5 prefers rare tokens as XLM does.
        exact: whether ``rate`` times the tokens are chosen, in proportion to their weights. False:
            each token on its own, with its score as its probability.
        rate: share of the tokens, from 0 to 1, or a schedule; without effect if not ``exact``.
        mask: share of the chosen that becomes the mask token.
        random: share of the chosen that becomes a random token; the rest stays as it is.
        clock: when masks change.

    InforMask is ``weighted(scores, exact=False, mask=1.0, random=0.0)`` with a table of
    probabilities; its rate is what they add up to, not 0.15.

    Source: Conneau and Lample, "Cross-lingual language model pretraining", 2019; Sadeq et al.,
    "InforMask: unsupervised informative masking for language model pretraining", 2022.
    """
    return compose(Weighted(scores, power, exact, rate), Mix(mask, random), clock=clock)
