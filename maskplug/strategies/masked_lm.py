"""Masked language modelling: hide tokens, predict them in place."""

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
    """No masking: inputs as they are, nothing to predict. The baseline."""
    return compose(Nothing(), Mix(mask=0.0, random=0.0), clock="never")


def static(
    rate: Schedule | float = 0.15, unit: Unit = "token", mask: float = 0.8, random: float = 0.1
) -> Strategy:
    """One mask for each sample, the same in every epoch.

    As ``dynamic`` with a clock that stands still.

    Args:
        rate: share of the tokens (or words) that are chosen, from 0 to 1, or a schedule.
        unit: "token", "word" for whole words, or "sentence".
        mask: share of the chosen that becomes the mask token.
        random: share of the chosen that becomes a random token; the rest stays as it is.
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
    """Ten masks for each sample, used in turn: BERT's static masking, with its budget.

    The original wrote its data ten times with different masks, and trained on these files for
    forty epochs. The budget is ``min(max_predictions, max(1, round(rate * length)))``, where the
    length counts special tokens and no padding; the decision between mask, random and unchanged
    is made by token, in words too.

    Args:
        rate: share of the row's tokens, from 0 to 1, or a schedule.
        max_predictions: the most tokens of one sample (at 512 tokens, 20 are 3.9 %, not 15 %).
        unit: "token", or "word": whole words that fit into the budget, and always at least one.
        mask: share of the chosen that becomes the mask token.
        random: share of the chosen that becomes a random token; the rest stays as it is.
        clock: when masks change; "never" for a single mask.

    Source: Devlin et al., "BERT", 2019, and its ``create_pretraining_data.py``, which may also
    write special tokens at random, and whose whole words may leave a sample without prediction.
    """
    return compose(BertBudget(rate, max_predictions, unit), Mix(mask, random), clock=clock)


def dynamic(
    rate: Schedule | float = 0.15,
    unit: Unit = "token",
    mask: float = 0.8,
    random: float = 0.1,
    clock: Clock | str = "epoch",
) -> Strategy:
    """A new mask for each sample in every epoch: RoBERTa's dynamic masking.

    Args:
        rate: share of the tokens (or words) that are chosen, from 0 to 1, or a schedule.
        unit: "token", "word" for whole words, or "sentence".
        mask: share of the chosen that becomes the mask token.
        random: share of the chosen that becomes a random token; the rest stays as it is.
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
    """A new mask in every epoch, as ``dynamic``, under the name that the method is known by.

    Args:
        rate: share of the tokens (or words) that are chosen, rounded at random so that the mean is
            exact (``mask_prob`` in fairseq).
        unit: "token", or "word" for whole words (``mask_whole_words``); mask, random or unchanged
            is then decided by word, and a random word has a random token at each position.
        mask: share of the chosen that becomes the mask token; what is left of 1 beside ``random``
            stays as it is (``leave_unmasked_prob``).
        random: share of the chosen that becomes a random token (``random_token_prob``).
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
    """Whole words, up to a budget of tokens; mask, random or unchanged is decided by word.

    Args:
        rate: share of the tokens, from 0 to 1, or a schedule.
        mask: share of the chosen words that become mask tokens.
        random: share of the chosen words that become random tokens; the rest stay as they are.
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
    """Spans of geometric length; mask, random or unchanged is decided by span.

    Args:
        rate: share of the units, from 0 to 1, or a schedule.
        p: of the geometric law of lengths; with the defaults a span has 3.8 units on average.
        max_length: the longest span, in units.
        unit: "word" (spans of whole words) or "token".
        mask: share of the spans that become mask tokens.
        random: share of the spans that become random tokens; the rest stay as they are.
        clock: when masks change.
        boundaries: whether the result has the layers ``left_distance`` and ``right_distance``, for
            a model that also predicts each token from the visible ones around its span.

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
    """N-grams of 1 to ``max_n`` words; mask, random or unchanged is decided by token.

    Args:
        rate: share of the units, from 0 to 1, or a schedule.
        max_n: the longest n-gram, in units; with 1, single units.
        law: of n: "inverse" (in proportion to 1/n), "reversed" (the same, longest first),
            "geometric" (of parameter 0.2, cut at ``max_n``) or "uniform".
        unit: "word" (n-grams of whole words) or "token".
        mask: share of the chosen tokens that become the mask token.
        random: share of the chosen tokens that become a random token; the rest stay as they are.
        clock: when masks change.

    Source: Lan et al., "ALBERT", 2020, and Megatron-LM, which has the other laws. Their budgets are
    upper bounds, and this one is exact.
    """
    return compose(Ngrams(rate, max_n, law, unit), Mix(mask, random), clock=clock)
