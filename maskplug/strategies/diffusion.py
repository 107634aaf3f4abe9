"""Masked diffusion: every mask rate between nothing and everything, and losses weighted by it."""

from __future__ import annotations

from maskplug.parts import Clock, added_later
from maskplug.replacements import Mix
from maskplug.selectors import BlockNoise, Noise, ScheduledNoise, UniformNoise
from maskplug.selectors.noise_schedules import NoiseSchedule
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
    """Each row has a mask rate p, uniform from ``eps`` to 1; a masked token's loss weighs 1 / p.

    The tokens of a prompt are kept by the layer ``protected``, and do not count in the loss. In
    about one of n + 1 rows of n tokens nothing is masked: such rows weigh 0, and the estimate is
    unbiased because of them.

    Args:
        eps: the least mask rate, above 0 and at most 1.
        always_one: mask one token where nothing was; the bound on the likelihood is then no longer
            estimated without bias.
        clock: when masks change.
        mask_special: mask special tokens as well, but for protected ones, padding and masks. Set it
            for fine-tuning on answers that end with an end of text or of turn: a model learns to
            stop only where that token is masked. Leave it off, or protect them, where rows have
            specials that a model is always given, such as ``[CLS]``.

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
    """Each row has a noise level t, and a schedule says how many of its tokens are masked.

    The weight of a masked token's loss is 1 / t with ``log_linear``, and in general the slope of
    the schedule over the mask rate. Rows in which nothing is masked weigh 0; they belong to the
    estimate.

    Args:
        schedule: "log_linear", "cosine", "cosine_squared", "linear" or "geometric", as the code of
            the paper calls them.
        eps: the share that the first three leave unmasked at t = 1.
        antithetic: spread the levels of each row evenly over the clock's times, rather than over
            the rows of a batch as the paper's code does: a mask must not depend on the batch.
        clock: when masks change.
        mask_special: mask special tokens as well; see ``llada``.

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
    """Each block of a row has a mask rate t of its own; a masked token's loss weighs 1 / t.

    The layer ``block`` numbers the blocks of each row from 0; tokens that cannot be masked belong
    to the block before them, and to -1 before the first: what is -1 is a prompt that all may see.

    Args:
        block: maskable tokens in a block. As long as the row: diffusion of the whole row. 1, with
            ``low`` = 1: every token is masked, an autoregressive model.
        low, high: the range of t, above 0 and at most 1.
        antithetic: spread the levels evenly over the blocks of each row.
        clock: when masks change.
        mask_special: mask special tokens as well; see ``llada``.

    Source: Arriola et al., "Block diffusion: interpolating between autoregressive and diffusion
    language models", 2025.
    """
    return _diffusion(BlockNoise(block, low, high, antithetic, mask_special), clock)
