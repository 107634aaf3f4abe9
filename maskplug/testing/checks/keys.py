"""Seed, time and key each draw another mask, and masks of neighbours have nothing in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from maskplug.ragged import Ragged
from maskplug.testing.laws import RARE, binomial_p
from maskplug.testing.outcome import choices, hashes
from maskplug.testing.subject import LAW_LENGTH, NotApplicable, Subject
from maskplug.tokens import Masked, TokenBatch
from maskplug.types import IntArray, UintArray

PAIRS = 1_000
#: More than any law that still draws something needs.
MOST_SEEDS = 24

Aspect = Callable[[TokenBatch, Masked], UintArray]

#: What is looked at: all that becomes of a sample, and which of its tokens are chosen.
ASPECTS: dict[str, Aspect] = {"masks": hashes, "choices": choices}


@dataclass(frozen=True)
class Variety:
    """Whether something differs between seeds, between keys, and between times."""

    seed: bool
    key: bool
    time: bool


def _varieties(subject: Subject) -> dict[str, Variety]:
    """What each aspect of 24 samples of the same content varies with."""
    tokens = subject.equal_rows(np.arange(24, dtype=np.uint64))
    seeds = [subject.mask(tokens, seed=seed) for seed in (0, 1)]
    times = [subject.mask(tokens, **context) for context in _times(subject)]
    found = {}
    for name, aspect in ASPECTS.items():
        base = aspect(tokens, seeds[0])
        found[name] = Variety(
            seed=bool((aspect(tokens, seeds[1]) != base).any()),
            key=len(set(base.tolist())) > 1,
            time=any((aspect(tokens, masked) != base).any() for masked in times),
        )
    if found["masks"] == Variety(seed=False, key=False, time=False):
        raise NotApplicable("masks of equal rows never differ: nothing is drawn")
    return found


def _times(subject: Subject) -> list[dict[str, Any]]:
    """Eight epochs, 1,000 steps each; from beginning to end where only schedules may tick."""
    strategy = subject.strategy
    progress = strategy.primary_clock.is_static and not strategy.is_static
    return [
        {"epoch": n, "step": 1_000 * n, "progress": n / 7 if progress else 0.0} for n in range(8)
    ]


def check_seed_changes_masks(subject: Subject) -> None:
    """Another seed gives other masks."""
    for name, varies in _varieties(subject).items():
        assert varies.seed or not (name == "masks" or varies.key or varies.time), (
            f"seeds 0 and 1 give 24 samples the same {name}: use the rng that the part is given, "
            "which knows the seed"
        )


def check_key_changes_masks(subject: Subject) -> None:
    """Another key gives another mask, even where all else is the same."""
    for name, varies in _varieties(subject).items():
        assert varies.key or not (name == "masks" or varies.seed or varies.time), (
            f"24 samples of the same content under different keys have the same {name}: use the "
            "rng that the part is given, with one count for each sample"
        )


def check_clock_changes_masks(subject: Subject) -> None:
    """Masks change with time where the clock ticks, and stay where it stands still."""
    strategy = subject.strategy
    for name, varies in _varieties(subject).items():
        if strategy.is_static:
            assert not varies.time, (
                f"the clock stands still (strategy.is_static), and {name} change from epoch to "
                "epoch: adapters would keep the first ones. Let times and the clocks in the fields "
                "tell the time that masks are drawn at"
            )
            continue
        assert varies.time or not (name == "masks" or varies.seed or varies.key), (
            f"eight epochs and 7,000 steps give the same {name}, though the clock "
            f"({strategy.primary_clock!r}) ticks: draw from rng and not from rng.at_time_zero, or use the "
            "clock 'never'"
        )


def _agreement(one: Masked, other: Masked) -> IntArray:
    """In how many places each sample's choice and input are the same as its neighbour's."""
    same = one.selection.mask == other.selection.mask
    chosen = same.reshape(len(one.selection), -1).sum(axis=1)
    read = (_square(one.inputs) == _square(other.inputs)).sum(axis=1)
    return np.asarray(chosen + read, np.int64)


def _square(rows: Ragged, width: int = 2 * LAW_LENGTH) -> IntArray:
    """The beginnings of rows as a matrix of this width, -1 behind the end of each."""
    inside = np.arange(width) < rows.lengths[:, None]
    square = np.full(inside.shape, -1, np.int64)
    within = np.arange(len(rows.values)) - np.repeat(rows.offsets[:-1], rows.lengths)
    square[inside] = rows.values[within < width]
    return square


def _next_tick(subject: Subject) -> int | None:
    """The first epoch (and step) at which every clock has ticked; None where one never does."""
    moments: IntArray = np.arange(10_000)
    ticked = moments > 0
    for clock in subject.strategy.clocks or (subject.strategy.primary_clock,):
        t = clock(moments, moments)
        ticked &= t != t[0]
    return int(ticked.argmax()) if ticked.any() else None


def check_neighbours_are_uncorrelated(subject: Subject) -> None:
    """A sample's mask is no more like that of the next key, seed or t than like any other.

    A sign test on a thousand samples: each is compared with its neighbour and with a stranger.
    """
    keys = np.arange(PAIRS, dtype=np.uint64) * np.uint64(2)
    far = keys + np.uint64(1 << 40)

    def masked(keys: UintArray, seed: int = 0, epoch: int = 0) -> Masked:
        return subject.mask(subject.equal_rows(keys), seed=seed, epoch=epoch, step=epoch)

    base, tick, told = masked(keys), _next_tick(subject), False
    pairs = {
        "the key": (masked(keys + np.uint64(1)), masked(far)),
        "the seed": (masked(keys, seed=1), masked(far, seed=1)),
    }
    if tick is not None:
        pairs["time"] = masked(keys, epoch=tick), masked(far, epoch=tick)
    for name, (neighbour, stranger) in pairs.items():
        near = _agreement(base, neighbour)
        others = _agreement(base, stranger)
        closer, farther = int((near > others).sum()), int((near < others).sum())
        if closer + farther < 50:
            continue
        told = True
        assert binomial_p(closer, closer + farther) > RARE, (
            f"masks of neighbours in {name} are correlated: {closer} samples are more "
            f"like their neighbour than like a stranger, {farther} less. Use the rng that the part "
            "is given as it is: do not add to, shift or cut seeds, keys or draws"
        )
    if not told:
        raise NotApplicable("masks of equal rows hardly differ")


def check_keys_do_not_collide(subject: Subject) -> None:
    """No two keys always share a mask: none of their 64 bits is lost.

    2,048 keys, spread over all bits, are masked under so many seeds that by the birthday bound not
    even one pair should have agreed under all of them.
    """
    keys = np.concatenate(
        [np.arange(1, 513, dtype=np.uint64) << np.uint64(s) for s in (0, 16, 32, 48)]
    )
    told = [_tell_apart(subject, keys, aspect) for aspect in ASPECTS.values()]
    if not any(told):
        raise NotApplicable("too little is drawn to tell keys apart")


def _tell_apart(subject: Subject, keys: UintArray, aspect: Aspect) -> bool:
    """Compare keys by an aspect of their masks; False where too little of it is drawn for that.

    How often two draws agree by chance is seen in one key under two seeds.
    """
    tokens = subject.equal_rows(keys)
    expected, found = len(keys) * (len(keys) - 1) / 2, [aspect(tokens, subject.mask(tokens))]
    for seed in range(1, MOST_SEEDS):
        found.append(aspect(tokens, subject.mask(tokens, seed=seed)))
        expected *= float((found[-1] == found[-2]).sum() + 3) / len(keys)
        if expected < RARE:
            break
    else:
        return False
    _, first, place = np.unique(np.stack(found), axis=1, return_index=True, return_inverse=True)
    twins = np.flatnonzero(first[place] != np.arange(len(keys)))
    assert not len(twins), (
        f"{len(twins)} of {len(keys)} keys share all their masks with another: under every seed "
        f"{keys[twins[0]]} is masked like {keys[first[place[twins[0]]]]}. Use all 64 bits of the "
        "key: draw from the rng that the part is given, not from a generator with a smaller seed"
    )
    return True
