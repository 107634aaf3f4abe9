"""Masked language modelling: mask tokens and predict them in place."""

from __future__ import annotations

from typing import Literal

from maskplug.clock import Cycle
from maskplug.parts import Clock, Schedule
from maskplug.replacements import Mix
from maskplug.selectors import BertBudget, Exact, Ngrams, Nothing, Spans, Words
from maskplug.selectors.ngrams import Law
from maskplug.strategies.composed import compose
from maskplug.strategy import Strategy
from maskplug.targets import BoundaryLabels, Labels
from maskplug.units import Unit


def none() -> Strategy:
    """Mask nothing: inputs are unchanged and nothing is predicted. A baseline."""
    return compose(Nothing(), Mix(mask=0.0, random=0.0), clock="never")


def static(
    rate: Schedule | float = 0.15, unit: Unit = "token", mask: float = 0.8, random: float = 0.1
) -> Strategy:
    """Mask each sample once, with the same mask in every epoch.

    This is ``dynamic`` with ``clock="never"``.

    Args:
        rate: share of the units, 0 to 1, or a schedule; the number is exact on average.
        unit: "token", "word" (whole words) or "sentence".
        mask: share of the selected units that become mask tokens, 0 to 1.
        random: share of the selected units that become random tokens, 0 to 1; the rest is
            unchanged.
    """
    return dynamic(rate, unit, mask, random, clock="never")


def bert(
    rate: Schedule | float = 0.15,
    max_predictions: int = 20,
    unit: Literal["token", "word"] = "token",
    mask: float = 0.8,
    random: float = 0.1,
    clock: Clock | str = Cycle(10),  # noqa: B008 - clocks are frozen
) -> Strategy:
    """Mask each sample in ten different ways, used in turn: BERT's static masking with its budget.

    BERT's data preparation wrote ten copies of the data with different masks. The budget is
    ``min(max_predictions, max(1, round(rate * length)))``; the length includes special tokens and
    excludes padding. Each token becomes a mask, a random token or stays unchanged separately, also
    within words.

    Args:
        rate: share of the row's tokens, 0 to 1, or a schedule.
        max_predictions: maximum number of tokens per sample (20 of 512 tokens are 3.9 %, not 15 %).
        unit: "token" or "word" (whole words that fit into the budget, and at least one).
        mask: share of the selected tokens that become the mask token, 0 to 1.
        random: share of the selected tokens that become a random token, 0 to 1; the rest is
            unchanged.
        clock: when masks change; "never" for a single mask.

    Source: Devlin et al., "BERT", 2019, and its ``create_pretraining_data.py``, which may also
    write random special tokens, and whose whole-word masking may leave a sample without
    predictions.
    """
    return compose(BertBudget(rate, max_predictions, unit), Mix(mask, random), clock=clock)


def dynamic(
    rate: Schedule | float = 0.15,
    unit: Unit = "token",
    mask: float = 0.8,
    random: float = 0.1,
    clock: Clock | str = "epoch",
) -> Strategy:
    """Mask each sample anew in every epoch: RoBERTa's dynamic masking.

    Args:
        rate: share of the units, 0 to 1, or a schedule; the number is exact on average.
        unit: "token", "word" (whole words) or "sentence".
        mask: share of the selected units that become mask tokens, 0 to 1.
        random: share of the selected units that become random tokens, 0 to 1; the rest is
            unchanged.
        clock: when masks change.

    Source: Liu et al., "RoBERTa", 2019.
    """
    return compose(Exact(rate, unit), Mix(mask, random, unit="span"), clock=clock)


def roberta(
    rate: Schedule | float = 0.15,
    unit: Literal["token", "word"] = "token",
    mask: float = 0.8,
    random: float = 0.1,
    clock: Clock | str = "epoch",
) -> Strategy:
    """Mask each sample anew in every epoch; an alias of ``dynamic`` under the method's name.

    Args:
        rate: share of the units, 0 to 1, or a schedule, rounded at random so that the mean is exact
            (``mask_prob`` in fairseq).
        unit: "token" or "word" (whole words, ``mask_whole_words``): each word as a whole becomes
            masks, random tokens (one at each position) or is unchanged.
        mask: share of the selected units that become mask tokens, 0 to 1; what remains of 1 beside
            ``random`` is unchanged (``leave_unmasked_prob``).
        random: share of the selected units that become random tokens, 0 to 1
            (``random_token_prob``).
        clock: when masks change.

    Source: Liu et al., "RoBERTa", 2019, and fairseq's ``mask_tokens_dataset``, which may also mask
    ``<s>`` and ``</s>``.
    """
    return dynamic(rate, unit, mask, random, clock)


def whole_word(
    rate: Schedule | float = 0.15,
    mask: float = 0.8,
    random: float = 0.1,
    clock: Clock | str = "epoch",
) -> Strategy:
    """Mask whole words up to a budget of tokens (whole word masking).

    Args:
        rate: share of the tokens, 0 to 1, or a schedule.
        mask: share of the selected words that become mask tokens, 0 to 1.
        random: share of the selected words that become random tokens, 0 to 1; the rest is
            unchanged.
        clock: when masks change.

    Source: whole word masking of google-research/bert (2019).
    """
    return compose(Words(rate), Mix(mask, random, unit="span"), clock=clock)


def span(
    rate: Schedule | float = 0.15,
    p: float = 0.2,
    max_length: int = 10,
    unit: Unit = "word",
    mask: float = 0.8,
    random: float = 0.1,
    clock: Clock | str = "epoch",
    boundaries: bool = False,
) -> Strategy:
    """Mask spans of words whose lengths follow a geometric distribution (SpanBERT).

    Args:
        rate: share of the units, 0 to 1, or a schedule.
        p: parameter of the geometric distribution, above 0 and at most 1; the mean length is 3.8 by
            default.
        max_length: maximum length of a span in units.
        unit: "word" (spans of whole words), "token" or "sentence".
        mask: share of the spans that become mask tokens, 0 to 1.
        random: share of the spans that become random tokens, 0 to 1; the rest is unchanged.
        clock: when masks change.
        boundaries: add the annotations ``left_distance`` and ``right_distance`` to the result, for
            a model that also predicts each token from the visible tokens around its span.

    Source: Joshi et al., "SpanBERT", 2020.
    """
    return compose(
        Spans(rate, p, max_length, unit),
        Mix(mask, random, unit="span"),
        BoundaryLabels() if boundaries else Labels(),
        clock,
    )


def ngram(
    rate: Schedule | float = 0.15,
    max_n: int = 3,
    law: Law = "inverse",
    unit: Literal["token", "word"] = "word",
    mask: float = 0.8,
    random: float = 0.1,
    clock: Clock | str = "epoch",
) -> Strategy:
    """Mask n-grams of 1 to ``max_n`` words, with an exact budget (ALBERT, Megatron-LM).

    Each token becomes a mask, a random token or stays unchanged separately.

    Args:
        rate: share of the units, 0 to 1, or a schedule.
        max_n: maximum length of an n-gram in units; 1 for single units.
        law: distribution of n: "inverse" (proportional to 1/n), "reversed" (the same probabilities
            in reverse order), "geometric" (parameter 0.2, cut to ``max_n``) or "uniform".
        unit: "word" (n-grams of whole words) or "token".
        mask: share of the selected tokens that become the mask token, 0 to 1.
        random: share of the selected tokens that become a random token, 0 to 1; the rest is
            unchanged.
        clock: when masks change.

    Source: Lan et al., "ALBERT", 2020, and Megatron-LM, which has the other distributions. Their
    budgets are upper bounds.
    """
    return compose(Ngrams(rate, max_n, law, unit), Mix(mask, random), clock=clock)
