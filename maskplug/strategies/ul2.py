"""UL2: a mixture of denoisers with mode tokens."""

from __future__ import annotations

from collections.abc import Sequence

from maskplug.errors import OptionError
from maskplug.parts import Clock
from maskplug.strategies.composition import mixture
from maskplug.strategies.prefixed import prefixed
from maskplug.strategies.seq2seq import prefix_lm, t5
from maskplug.strategy import Strategy
from maskplug.validation.options import check_token

#: Mean span length and rate of the regular and of the extreme denoisers.
REGULAR = ((3.0, 0.15), (8.0, 0.15))
EXTREME = ((3.0, 0.5), (8.0, 0.5), (64.0, 0.15), (64.0, 0.5))


def ul2(
    denoisers: tuple[Strategy, ...] | None = None,
    modes: tuple[str | int, ...] | None = ("[R]", "[S]", "[X]"),
    weights: tuple[float, ...] | None = None,
    clock: Clock | str = "epoch",
) -> Strategy:
    """Mask each sample with one of several denoisers, after the denoiser's mode token (UL2).

    The default denoisers are the paper's seven, in this order: two regular (spans of 3 or 8 tokens
    on average, 15 % hidden), one sequential (the end of a text, a quarter on average) and four
    extreme (3 and 8 tokens at 50 %, 64 at 15 % and 50 %).

    Args:
        denoisers: strategies with targets, such as ``t5`` and ``prefix_lm``, by name, as mappings
            or as objects; the paper's if omitted.
        modes: special tokens (by text or id) of the regular, sequential and extreme denoisers; with
            ``denoisers``, one for each of them. null inserts none.
        weights: relative frequency of each denoiser; equal if omitted.
        clock: when the choice of denoisers changes, and the masks of the paper's denoisers.

    Source: Tay et al., "UL2: unifying language learning paradigms", 2023, section 3.1. In the
    released model the modes are called [NLU], [S2S] and [NLG].
    """
    for mode in modes or ():
        check_token("modes", mode)
    if denoisers is None:
        denoisers = (
            *(t5(rate, length, clock=clock) for length, rate in REGULAR),
            prefix_lm(0.25, clock=clock),
            *(t5(rate, length, clock=clock) for length, rate in EXTREME),
        )
        modes = _modes_of_paper(modes)
    return mixture(_with_modes(denoisers, modes), weights, clock)


def _modes_of_paper(modes: tuple[str | int, ...] | None) -> tuple[str | int, ...] | None:
    """Return the mode of each of the paper's denoisers."""
    if modes is None:
        return None
    if len(modes) != 3:
        raise OptionError(
            f"option 'modes' is {list(modes)}; three tokens are needed, for regular, sequential "
            "and extreme denoisers"
        )
    regular, sequential, extreme = modes
    return (regular,) * len(REGULAR) + (sequential,) + (extreme,) * len(EXTREME)


def _with_modes(
    denoisers: Sequence[Strategy], modes: tuple[str | int, ...] | None
) -> tuple[Strategy, ...]:
    if modes is None:
        return tuple(denoisers)
    if len(modes) != len(denoisers):
        raise OptionError(
            f"option 'modes' has {len(modes)} tokens for {len(denoisers)} denoisers: give one "
            "each, or null to write none"
        )
    return tuple(prefixed(*pair) for pair in zip(denoisers, modes, strict=True))
