"""Denoising: corrupt a text and generate the whole original."""

from __future__ import annotations

from typing import Literal

from maskplug.errors import OptionError
from maskplug.parts import Clock, Replacement, Schedule, Selector
from maskplug.replacements import Delete, Mix, OneMask, Permute, Rotate
from maskplug.schedule import check_rate
from maskplug.selectors import Exact, Insertions, Nothing, PoissonSpans
from maskplug.selectors.poisson_spans import LONGEST_MEAN
from maskplug.strategies.composed import compose
from maskplug.strategies.composition import chain
from maskplug.strategy import Strategy
from maskplug.targets import Original
from maskplug.units import Unit
from maskplug.validation.options import check_number

Noise = Literal["infilling", "masking", "deletion"]


def bart(
    rate: Schedule | float = 0.3,
    mean_length: float = 3.0,
    noise: Noise = "infilling",
    random: float = 0.0,
    permute: Schedule | float = 1.0,
    insert: Schedule | float = 0.0,
    rotate: Schedule | float = 0.0,
    unit: Unit = "word",
    clock: Clock | str = "epoch",
) -> Strategy:
    """Permute sentences and replace each span with one mask; the target is the original (BART).

    The noises are applied in this order: sentences are permuted, tokens masked or deleted, masks
    inserted, and the text rotated. A noise whose share is 0 is left out. Special tokens at both
    ends stay in place.

    Args:
        rate: share of the units to hide, 0 to 1, or a schedule.
        mean_length: mean of the Poisson-distributed span lengths in units, for "infilling"; above 0
            and at most 100.
        noise: "infilling" (each span becomes one mask; an empty span inserts one), "masking" (one
            mask per token) or "deletion" (tokens are removed).
        random: probability of a random token instead of a mask, also for ``insert``, 0 to 1.
        permute: share of the sentences that change places, 0 to 1, or a schedule. Above 0, it
            requires a ``sentence_starts`` annotation or the vocabulary's ``sentence_end``.
        insert: number of masks to insert as a share of the remaining tokens, 0 to 1, or a schedule.
        rotate: probability that the text is rotated to start at a random token, 0 to 1, or a
            schedule.
        unit: unit of ``rate`` and ``mean_length``: "word" (whole words), "token" or "sentence".
        clock: when the noise changes.

    Source: Lewis et al., "BART", 2020, section 2.2; the defaults are those of its best model,
    infilling and permuted sentences. fairseq's own task (``denoising``) has ``random`` at 0.1.
    """
    shares = {"rate": rate, "permute": permute, "insert": insert, "rotate": rotate}
    for name, share in shares.items():  # checked here, so that messages use these names
        check_rate(name, share)
    check_number("mean_length", mean_length, above=0.0, most=LONGEST_MEAN)
    if not any(isinstance(x, Schedule) or x != 0.0 for x in shares.values()):
        raise OptionError(
            "options 'rate', 'permute', 'insert' and 'rotate' are all 0: there is no noise"
        )
    hidden: dict[Noise, tuple[Selector, Replacement]] = {
        "infilling": (PoissonSpans(rate, mean_length, unit), OneMask(random=random)),
        "masking": (Exact(rate, unit), Mix(1.0 - random, random)),
        "deletion": (Exact(rate, unit), Delete()),
    }
    noises: list[tuple[Schedule | float, Selector, Replacement]] = [
        (permute, Nothing(), Permute(permute)),
        (rate, *hidden[noise]),
        (insert, Insertions(insert), OneMask(random=random)),
        (rotate, Nothing(), Rotate(rotate)),
    ]
    stages = tuple(
        compose(selector, replacement, Original(), clock)
        for share, selector, replacement in noises
        if share != 0.0
    )
    return chain(stages, Original())


def mbart(
    rate: Schedule | float = 0.35,
    mean_length: float = 3.5,
    random: float = 0.0,
    permute: Schedule | float = 1.0,
    unit: Unit = "word",
    clock: Clock | str = "epoch",
) -> Strategy:
    """Corrupt texts as ``bart`` does, with more masked tokens and longer spans (mBART).

    Language tokens are special tokens: they stay in place in inputs and targets.

    Args:
        rate: share of the units to hide, 0 to 1, or a schedule.
        mean_length: mean of the Poisson-distributed span lengths in units, above 0 and at most 100.
        random: probability of a random token instead of a mask, 0 to 1.
        permute: share of the sentences that change places, 0 to 1, or a schedule; 0 requires no
            sentence boundaries.
        unit: "word" (whole words), "token" or "sentence".
        clock: when the noise changes.

    Source: Liu et al., "Multilingual denoising pre-training for neural machine translation", 2020.
    """
    return bart(rate, mean_length, "infilling", random, permute, unit=unit, clock=clock)


def deshuffle(unit: Unit = "token", clock: Clock | str = "epoch") -> Strategy:
    """Put all tokens of the text in random order; the target is the original.

    Args:
        unit: unit to shuffle: "token", "word" (whole words) or "sentence".
        clock: when the order changes.

    Source: the deshuffling objective of Raffel et al., "T5", 2020, table 4.
    """
    return compose(Nothing(), Permute(1.0, unit), Original(), clock)
