"""Masked diffusion: random mask rates and losses weighted by them."""

from __future__ import annotations

from maskplug.parts import Clock, added_later
from maskplug.replacements import Mix
from maskplug.selectors import BlockNoise, Noise, ScheduledNoise, UniformNoise
from maskplug.selectors.scheduled_noise import NoiseSchedule
from maskplug.strategies.composed import compose
from maskplug.strategy import Strategy
from maskplug.targets import WeightedLabels


def _diffusion(noise: Noise, clock: Clock | str) -> Strategy:
    return compose(noise, Mix(mask=1.0, random=0.0, unit="span"), WeightedLabels(noise), clock)


@added_later("mask_special")
def llada(
    eps: float = 1e-3,
    always_one: bool = False,
    clock: Clock | str = "epoch",
    mask_special: bool = False,
) -> Strategy:
    """Mask each row at a rate p drawn from ``eps`` to 1, and weight each loss by 1 / p (LLaDA).

    Protect the tokens of a prompt with the annotation ``protected``; they do not count in the loss.
    About one in n + 1 rows of n tokens has no masked token and a loss of 0, which keeps the
    estimate of the likelihood unbiased.

    Args:
        eps: smallest mask rate, above 0 and at most 1.
        always_one: mask one token in rows without any; the estimate of the bound on the likelihood
            is then biased.
        clock: when masks change.
        mask_special: also mask special tokens, except protected ones, padding and masks. Enable it
            for fine-tuning on answers that end with an end-of-text or end-of-turn token: a model
            learns to stop only if that token is masked. Leave it off, or protect them, if rows have
            special tokens that are always given to the model, such as ``[CLS]``.

    Source: Nie et al., "Large language diffusion models", 2025.
    """
    return _diffusion(UniformNoise(eps, always_one, mask_special), clock)


@added_later("mask_special")
def mdlm(
    schedule: NoiseSchedule = "log_linear",
    eps: float = 1e-3,
    antithetic: bool = True,
    clock: Clock | str = "epoch",
    mask_special: bool = False,
) -> Strategy:
    """Mask each row at a random noise level t of a noise schedule, with weighted losses (MDLM).

    The weight of a masked token's loss is 1 / t for "log_linear", and in general the derivative of
    the mask rate divided by the mask rate. Rows without a masked token have a loss of 0, which
    keeps the estimate of the likelihood unbiased.

    Args:
        schedule: "log_linear", "cosine", "cosine_squared", "linear" or "geometric", as in the code
            of the paper.
        eps: share of unmasked tokens at t = 1 for the first three, 0 to below 1.
        antithetic: spread the noise levels of each row evenly over the clock's times. The paper's
            code spreads them over the rows of a batch, which makes a mask depend on the batch.
        clock: when masks change.
        mask_special: also mask special tokens; see ``llada``.

    Source: Sahoo et al., "Simple and effective masked diffusion language models", 2024.
    """
    return _diffusion(ScheduledNoise(schedule, eps, antithetic, mask_special), clock)


@added_later("mask_special")
def block_diffusion(
    block: int = 4,
    low: float = 1e-3,
    high: float = 1.0,
    antithetic: bool = True,
    clock: Clock | str = "epoch",
    mask_special: bool = False,
) -> Strategy:
    """Mask each block of a row at its own rate t, and weight each loss by 1 / t (BD3-LM).

    The annotation ``block`` of the result numbers the blocks of each row from 0. Tokens that cannot
    be masked belong to the block before them, and to -1 before the first block; -1 is a prompt that
    is visible to all tokens.

    Args:
        block: number of maskable tokens per block, at least 1. A block as long as the row gives
            diffusion over the whole row; 1 with ``low`` = 1 gives an autoregressive model.
        low, high: range of t, above 0 and at most 1.
        antithetic: spread the noise levels evenly over the blocks of each row.
        clock: when masks change.
        mask_special: also mask special tokens; see ``llada``.

    Source: Arriola et al., "Block diffusion: interpolating between autoregressive and diffusion
    language models", 2025.
    """
    return _diffusion(BlockNoise(block, low, high, antithetic, mask_special), clock)
