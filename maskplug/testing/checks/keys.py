"""Seed, time and key each draw another mask, and masks of neighbours have nothing in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from maskplug.arrays import IntArray, UintArray
from maskplug.ragged import Ragged
from maskplug.testing.laws import RARE, binomial_p
from maskplug.testing.outcome import hashes
from maskplug.testing.subject import NotApplicable, Subject
from maskplug.tokens import Masked, TokenBatch

DECLARE = "If the strategy draws nothing, declare this check as a known exception."
PAIRS = 1_000
#: Of two sequences of seeds: more of them than any law that still draws something needs.
MOST_SEEDS = 24


def _few(subject: Subject) -> TokenBatch:
    return subject.equal_rows(np.arange(24, dtype=np.uint64))


def check_seed_changes_masks(subject: Subject) -> None:
    """Another seed gives other masks."""
    tokens = _few(subject)
    one, other = (hashes(tokens, subject.mask(tokens, seed=seed)) for seed in (0, 1))
    assert (one != other).any(), (
        "seeds 0 and 1 give 24 samples the same masks: use the rng that the part is given, which "
        f"knows the seed. {DECLARE}"
    )


def check_key_changes_masks(subject: Subject) -> None:
    """Another key gives another mask, even where all else is the same."""
    tokens = _few(subject)
    assert len(set(hashes(tokens, subject.mask(tokens)).tolist())) > 1, (
        "24 samples of the same content under different keys have the same mask: use the rng that "
        f"the part is given, with one count for each sample. {DECLARE}"
    )


def check_clock_changes_masks(subject: Subject) -> None:
    """Masks change with time where the clock ticks, and stay where it stands still."""
    tokens, strategy = _few(subject), subject.strategy
    found = set()
    for moment in range(8):
        when: dict[str, Any] = {"epoch": moment, "step": 1_000 * moment}
        if strategy.times.timeless and not strategy.timeless:
            when["progress"] = (
                moment / 7
            )  # its schedules or the clocks inside it do not stand still
        found.add(hashes(tokens, subject.mask(tokens, **when)).tobytes())
    if strategy.timeless:
        assert len(found) == 1, (
            "the clock stands still (strategy.timeless), and masks change from epoch to epoch: "
            "adapters would keep the first ones. Let times and the clocks in the fields tell the "
            "time that masks are drawn at"
        )
        return
    assert len(found) > 1, (
        f"eight epochs and 7,000 steps give the same masks, though the clock ({strategy.times!r}) "
        f"ticks: draw from rng and not from rng.timeless, or use the clock 'never'. {DECLARE}"
    )


def _agreement(subject: Subject, one: Masked, other: Masked) -> IntArray:
    """In how many places each sample's choice and input are the same as its neighbour's."""
    same = one.selection.mask == other.selection.mask
    chosen = same.reshape(len(one.selection), -1).sum(axis=1)
    lines = [_square(masked.inputs) for masked in (one, other)]
    width = min(line.shape[1] for line in lines)
    read = (lines[0][:, :width] == lines[1][:, :width]).sum(axis=1)
    return np.asarray(chosen + read, np.int64)


def _square(rows: Ragged) -> IntArray:
    """Rows as a matrix, -1 behind the end of each."""
    width = int(rows.lengths.max())
    inside = np.arange(width) < rows.lengths[:, None]
    square = np.full(inside.shape, -1, np.int64)
    square[inside] = rows.values
    return square


def check_neighbours_are_uncorrelated(subject: Subject) -> None:
    """A sample's mask is no more like that of the next key, seed or epoch than like any other.

    A sign test on a thousand samples: each is compared with its neighbour and with a stranger.
    """
    keys = np.arange(PAIRS, dtype=np.uint64) * np.uint64(2)
    far = keys + np.uint64(1 << 40)

    def masked(keys: UintArray, seed: int = 0, epoch: int = 0) -> Masked:
        return subject.mask(subject.equal_rows(keys), seed=seed, epoch=epoch, step=epoch)

    base = masked(keys)
    told = False
    for name, neighbour, stranger in (
        ("key", masked(keys + np.uint64(1)), masked(far)),
        ("seed", masked(keys, seed=1), masked(far, seed=1)),
        ("epoch", masked(keys, epoch=1), masked(far, epoch=1)),
    ):
        if name == "epoch" and subject.strategy.timeless:
            continue
        near = _agreement(subject, base, neighbour)
        others = _agreement(subject, base, stranger)
        closer, farther = int((near > others).sum()), int((near < others).sum())
        if closer + farther < 50:
            continue
        told = True
        assert binomial_p(closer, closer + farther) > RARE, (
            f"masks of neighbouring values of {name} are correlated: {closer} samples are more "
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
    tokens, pairs = subject.equal_rows(keys), len(keys) * (len(keys) - 1) / 2
    expected, found = pairs, []
    for seed in range(MOST_SEEDS):
        found.append(hashes(tokens, subject.mask(tokens, seed=seed)))
        counts = np.unique(found[-1], return_counts=True)[1]
        expected *= float((counts * (counts - 1) / 2).sum() + 3) / pairs
        if expected < RARE:
            break
    else:
        raise NotApplicable("too little is drawn to tell keys apart")
    _, first, place = np.unique(np.stack(found), axis=1, return_index=True, return_inverse=True)
    twins = np.flatnonzero(first[place] != np.arange(len(keys)))
    assert not len(twins), (
        f"{len(twins)} of {len(keys)} keys share all their masks with another: under every seed "
        f"{keys[twins[0]]} is masked like {keys[first[place[twins[0]]]]}. Use all 64 bits of the "
        "key: draw from the rng that the part is given, not from a generator with a smaller seed"
    )
