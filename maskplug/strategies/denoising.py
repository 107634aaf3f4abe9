"""Denoising: a text is disturbed, and the model writes the whole original."""

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
    """BART: sentences change places, spans become one mask each; the target is the original.

    The noises come one after the other: sentences are permuted, tokens hidden, tokens inserted, and
    the text is rotated. One whose share is 0 is left out. Special tokens at both ends stay.

    Args:
        rate: share of the units that are hidden, from 0 to 1, or a schedule.
        mean_length: of the Poisson law of the spans' lengths in units, for "infilling".
        noise: how they are hidden. "infilling": spans, each of which becomes one mask (an empty
            span inserts one); "masking": a mask for each token; "deletion": nothing is left.
        random: probability of a random token instead of a mask, there and with ``insert``.
        permute: share of the sentences that change places. Sentences must be known, by a
            ``sentence_starts`` layer or the vocabulary's ``sentence_end``; 0 does without.
        insert: how many masks are inserted, as a share of the tokens that are left.
        rotate: probability that a text is rotated to begin at a token drawn evenly.
        unit: of ``rate`` and ``mean_length``: "word" (whole words), "token" or "sentence".
        clock: when the noise changes.

    Source: Lewis et al., "BART", 2020, section 2.2; the defaults are those of its best model,
    infilling and permuted sentences. fairseq's own task (``denoising``) has ``random`` at 0.1.
    """
    shares = {"rate": rate, "permute": permute, "insert": insert, "rotate": rotate}
    for name, share in shares.items():  # here, where these are their names
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
    moved = Nothing()
    noises: list[tuple[Schedule | float, Selector, Replacement]] = [
        (permute, moved, Permute(permute)),
        (rate, *hidden[noise]),
        (insert, Insertions(insert), OneMask(random=random)),
        (rotate, moved, Rotate(rotate)),
    ]
    made = tuple(
        compose(selector, replacement, Original(), clock)
        for share, selector, replacement in noises
        if share != 0.0
    )
    return chain(made, Original())


def mbart(
    rate: Schedule | float = 0.35,
    mean_length: float = 3.5,
    random: float = 0.0,
    permute: Schedule | float = 1.0,
    unit: Unit = "word",
    clock: Clock | str = "epoch",
) -> Strategy:
    """mBART: as ``bart``, with more of the text hidden, in longer spans.

    Language tokens are special: they stay where they are, in inputs and targets.

    Args:
        rate: share of the units that are hidden, from 0 to 1, or a schedule.
        mean_length: of the Poisson law of the spans' lengths, in units.
        random: probability of a random token instead of a mask.
        permute: share of the sentences that change places; 0 does without sentences.
        unit: "word" (whole words), "token" or "sentence".
        clock: when the noise changes.

    Source: Liu et al., "Multilingual denoising pre-training for neural machine translation", 2020.
    """
    return bart(rate, mean_length, "infilling", random, permute, unit=unit, clock=clock)


def deshuffle(unit: Unit = "token", clock: Clock | str = "epoch") -> Strategy:
    """The text in random order; the target is the original.

    Args:
        unit: what changes places: "token", "word" (whole words) or "sentence".
        clock: when the order changes.

    Source: the deshuffling objective of Raffel et al., "T5", 2020, table 4.
    """
    return compose(Nothing(), Permute(1.0, unit), Original(), clock)
