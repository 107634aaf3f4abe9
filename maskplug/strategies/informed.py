"""Masked language modelling with phrases, entities, language pairs, scores or losses."""

from __future__ import annotations

from typing import Literal

from maskplug.parts import Clock, Schedule
from maskplug.preprocessing.resource import Resource
from maskplug.replacements import Mix
from maskplug.selectors import Adaptive, ByLanguage, Hard, Phrases, Salient, Weighted
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
    """Mask whole phrases of a list and whole words, up to a budget of tokens (PMI-Masking).

    Args:
        ngrams: a file with one phrase per line: token ids separated by spaces, optionally a tab and
            a score. ``maskplug ngrams`` creates one from a corpus.
        rate: share of the tokens, 0 to 1, or a schedule.
        mask: share of the selected phrases and words that become mask tokens, 0 to 1.
        random: share of them that become random tokens, 0 to 1; the rest is unchanged.
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
    """Mask whole salient spans, such as names and dates, that the annotation ``salient`` marks.

    The annotation holds an integer for each token: 0 outside of spans, and the same positive number
    on all tokens of a span. ``maskplug.salient_layer`` creates it.

    Args:
        spans: number of spans per sample; ignored if ``rate`` is set.
        rate: share of the sample's tokens, 0 to 1, or a schedule: spans are selected in random
            order until it is reached.
        otherwise: what to mask in samples without a salient span: "span" (geometric spans of words
            at ``rate``, by default 0.15) or "nothing".
        mask: share of the selected spans that become mask tokens, 0 to 1.
        random: share of them that become random tokens, 0 to 1; the rest is unchanged.
        clock: when masks change.

    Source: Guu et al., "REALM: retrieval-augmented language model pre-training", 2020.
    """
    return compose(Salient(spans, rate, otherwise), Mix(mask, random, unit="span"), clock=clock)


def tlm(
    rate: Schedule | float = 0.15,
    mask: float = 0.8,
    random: float = 0.1,
    clock: Clock | str = "epoch",
) -> Strategy:
    """Mask tokens on both sides of a translation pair in one row (translation language modelling).

    A row is a text and its translation, one after the other; the annotation ``languages`` holds the
    language of each token. ``maskplug.objectives.tlm.concatenate`` creates such rows from two
    batches. The result has the annotations ``position_ids``, which restart with each language, and
    ``langs``.

    Args:
        rate: probability of each token, 0 to 1, or a schedule; at least one token in each language
            of a row is masked.
        mask: share of the selected tokens that become the mask token, 0 to 1.
        random: share of the selected tokens that become a random token, 0 to 1; the rest is
            unchanged.
        clock: when masks change.

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
    """Mask tokens in proportion to scores, for example to prefer rare or informative tokens.

    InforMask is ``weighted(scores, exact=False, mask=1.0, random=0.0)`` with a table of
    probabilities; its mask rate is the mean of the probabilities, not 0.15.

    Args:
        scores: a file with one number per line, one for each id of the vocabulary, or a ``.npy``
            file. If omitted, the annotation ``scores`` holds a number for each token.
        power: exponent applied to the scores; with token counts, -0.5 prefers rare tokens as in
            XLM.
        exact: select exactly ``rate`` times the tokens, in proportion to their weights. If False,
            each token is selected independently with its score as probability.
        rate: share of the tokens, 0 to 1, or a schedule; ignored if not ``exact``.
        mask: share of the selected tokens that become the mask token, 0 to 1.
        random: share of the selected tokens that become a random token, 0 to 1; the rest is
            unchanged.
        clock: when masks change.

    Source: Conneau and Lample, "Cross-lingual language model pretraining", 2019; Sadeq et al.,
    "InforMask: unsupervised informative masking for language model pretraining", 2022.
    """
    return compose(Weighted(scores, power, exact, rate), Mix(mask, random), clock=clock)


def adaptive(
    rate: Schedule | float = 0.15,
    every: int = 100,
    momentum: float = 0.9,
    temperature: float = 1.0,
    floor: float = 0.1,
    by: Literal["token", "layer"] = "token",
    classes: int | None = None,
    mask: float = 0.8,
    random: float = 0.1,
    clock: Clock | str = "epoch",
) -> Strategy:
    """Mask tokens with high losses more often, as the model's own losses in training show.

    Losses come from ``maskplug_hf.attach`` or the fairseq tasks; in your own training loop, use
    ``loss_tracking.Losses``. Without losses, all tokens are equally likely, as in ``dynamic``.

    Args:
        rate: share of the tokens, 0 to 1, or a schedule; the number is exact.
        every: number of optimizer steps per round. The losses of a round change the masks from the
            round after the next one on; rounds 0 and 1 mask uniformly.
        momentum: share of the old score that remains when a round ends, 0 to 1.
        temperature: above 0; 1 is proportional to the losses, more flattens, less sharpens.
        floor: smallest weight, 0 to 1, relative to a token of mean loss.
        by: "token" (a score for each token id) or "layer" (a score for each class in the annotation
            ``classes``, for example parts of speech).
        classes: number of classes, for "layer".
        mask: share of the selected tokens that become the mask token, 0 to 1.
        random: share of the selected tokens that become a random token, 0 to 1; the rest is
            unchanged.
        clock: when masks change; the scores change with each round, whatever the clock.

    Source: after Yang et al., "Learning better masking for better language model pre-training",
    2023, with token ids as classes, an exact budget, and the state in the checkpoint; its momentum
    of 0.999 per step is 0.9 per round of 100 steps.
    """
    selector = Adaptive(rate, temperature, floor, by, classes, every, momentum)
    return compose(selector, Mix(mask, random, unit="span"), clock=clock)


def self_evolution(
    bar: float = 0.1, rate: Schedule | float = 0.15, clock: Clock | str = "epoch"
) -> Strategy:
    """Mask exactly the tokens that a model could not predict from the clean text.

    Requires the annotation ``losses``; ``maskplug_hf.clean_losses`` computes it once, before
    training.

    Args:
        bar: tokens with a loss above this threshold become the mask token; at least 0.
        rate: share of the tokens masked at random in rows without such tokens, 0 to 1, or a
            schedule.
        clock: when these random masks change.

    Source: Zhong et al., "Self-Evolution Learning for Discriminative Language Model Pretraining",
    2023.
    """
    return compose(Hard(bar, rate), Mix(mask=1.0, random=0.0), clock=clock)
