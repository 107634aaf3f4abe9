"""Masks change with the seed, the time and the key, and are uncorrelated between neighbors."""

from __future__ import annotations

from functools import lru_cache
from math import comb
from typing import Any

import numpy as np

from maskplug.testing.outcome import choices, hashes
from maskplug.testing.subject import EQUAL_LENGTH, NotApplicable, Subject
from maskplug.tokens import Masked
from maskplug.types import IntArray, UintArray

#: Probability that a check with fixed seeds fails for a sound strategy.
RARE = 1e-6
#: Enough seeds for any distribution from which something is drawn.
MAX_SEEDS = 24
#: Compared: everything that becomes of a sample, and which of its tokens are chosen.
ASPECTS = {"masks": hashes, "choices": choices}


@lru_cache(maxsize=1)
def _variation(subject: Subject) -> dict[str, dict[str, bool]]:
    """Return, for each aspect that is drawn, whether it differs by "seed", "key" and "time"."""
    tokens = subject.equal_rows(np.arange(24, dtype=np.uint64))
    seeds = [subject.mask(tokens, seed=seed) for seed in (0, 1)]
    times = [subject.mask(tokens, **context) for context in _times(subject)]
    variation = {}
    for name, aspect in ASPECTS.items():
        base = aspect(tokens, seeds[0])
        varies = {
            "seed": bool((aspect(tokens, seeds[1]) != base).any()),
            "key": len(set(base.tolist())) > 1,
            "time": any((aspect(tokens, masked) != base).any() for masked in times),
        }
        if any(varies.values()):
            variation[name] = varies
    if not variation:
        raise NotApplicable("masks of equal rows never differ: nothing is drawn")
    return variation


def _times(subject: Subject) -> list[dict[str, Any]]:
    """Return eight epochs of 1,000 steps; with progress if only schedules can change masks."""
    strategy = subject.strategy
    progress = strategy.primary_clock.is_static and not strategy.is_static
    return [
        {"epoch": n, "step": 1_000 * n, "progress": n / 7 if progress else 0.0} for n in range(8)
    ]


def check_seed_changes_masks(subject: Subject) -> None:
    """Another seed gives other masks."""
    for name, varies in _variation(subject).items():
        assert varies["seed"], (
            f"seeds 0 and 1 give 24 samples the same {name}: use the rng that the part receives; "
            "it includes the seed"
        )


def check_key_changes_masks(subject: Subject) -> None:
    """Another key gives another mask for the same content."""
    for name, varies in _variation(subject).items():
        assert varies["key"], (
            f"24 samples of the same content under different keys have the same {name}: use the "
            "rng that the part receives, with one count per sample"
        )


def check_clock_changes_masks(subject: Subject) -> None:
    """Masks change with time exactly if the strategy is not static."""
    strategy = subject.strategy
    for name, varies in _variation(subject).items():
        if strategy.is_static:
            assert not varies["time"], (
                f"strategy.is_static is True, but {name} change from epoch to epoch: adapters "
                "would keep the first ones. Define primary_clock and the clocks in the fields so "
                "that they return the time that masks are drawn at"
            )
            continue
        assert varies["time"], (
            f"eight epochs and 7,000 steps give the same {name}, though the clock "
            f"({strategy.primary_clock!r}) ticks: draw from rng and not from rng.at_time_zero, or "
            "use the clock 'never'"
        )


def _agreement(a: Masked, b: Masked) -> IntArray:
    """Return, per sample, the number of positions with the same choice or the same input."""
    same = a.selection.mask == b.selection.mask
    chosen = same.reshape(len(a.selection), -1).sum(axis=1)
    inputs = (_padded_inputs(a) == _padded_inputs(b)).sum(axis=1)
    return np.asarray(chosen + inputs, np.int64)


def _padded_inputs(masked: Masked, width: int = 2 * EQUAL_LENGTH) -> IntArray:
    """Return the first ``width`` inputs of each sample, padded with -1.

    Unlike the kernel of ``collate.pad``, this is safe for rows that are not well-formed.
    """
    rows = masked.inputs
    inside = np.arange(width) < rows.lengths[:, None]
    padded = np.full(inside.shape, -1, np.int64)
    position = np.arange(len(rows.values)) - np.repeat(rows.offsets[:-1], rows.lengths)
    padded[inside] = rows.values[position < width]
    return padded


def _next_tick(subject: Subject) -> int | None:
    """Return the first epoch (and step) at which every clock has ticked, or None."""
    moments: IntArray = np.arange(10_000)
    ticked = moments > 0
    for clock in subject.strategy.clocks or (subject.strategy.primary_clock,):
        t = clock(moments, moments)
        ticked &= t != t[0]
    return int(ticked.argmax()) if ticked.any() else None


def sign_test_p(successes: int, trials: int) -> float:
    """Return the exact two-sided p-value of a number of successes of a fair coin.

    Example:
        >>> sign_test_p(5, 10), sign_test_p(0, 10) == 2 / 2**10
        (1.0, True)
    """
    tail = sum(comb(trials, k) for k in range(min(successes, trials - successes) + 1))
    return float(min(1.0, 2 * tail / 2**trials))


def check_neighbours_are_uncorrelated(subject: Subject) -> None:
    """A mask is not more similar to that of the next key, seed or t than to that of any other.

    A sign test on 1,000 samples: each is compared with its neighbor and with a distant sample.
    """
    keys = np.arange(1_000, dtype=np.uint64) * np.uint64(2)
    far = keys + np.uint64(1 << 40)

    def masked(keys: UintArray, seed: int = 0, epoch: int = 0) -> Masked:
        return subject.mask(subject.equal_rows(keys), seed=seed, epoch=epoch, step=epoch)

    base, tick, tested = masked(keys), _next_tick(subject), False
    pairs = {
        "the key": (masked(keys + np.uint64(1)), masked(far)),
        "the seed": (masked(keys, seed=1), masked(far, seed=1)),
    }
    if tick is not None:
        pairs["time"] = masked(keys, epoch=tick), masked(far, epoch=tick)
    for name, (neighbor, distant) in pairs.items():
        near, reference = _agreement(base, neighbor), _agreement(base, distant)
        closer, farther = int((near > reference).sum()), int((near < reference).sum())
        if closer + farther < 50:
            continue
        tested = True
        assert sign_test_p(closer, closer + farther) > RARE, (
            f"masks of neighbors in {name} are correlated: {closer} samples are more similar to "
            f"their neighbor than to a distant sample, {farther} less. Use the rng that the part "
            "receives as it is: do not add to, shift or truncate seeds, keys or draws"
        )
    if not tested:
        raise NotApplicable("masks of equal rows hardly differ")


def check_keys_do_not_collide(subject: Subject) -> None:
    """No two keys always share a mask: all 64 bits of a key count.

    Masks 2,048 keys, spread over all bits, under so many seeds that by the birthday bound no pair
    is expected to agree under all of them.
    """
    shifts = (0, 16, 32, 48)
    keys = np.concatenate([np.arange(1, 513, dtype=np.uint64) << np.uint64(s) for s in shifts])
    tested = [_tell_apart(subject, keys, aspect) for aspect in ASPECTS.values()]
    if not any(tested):
        raise NotApplicable("too little is drawn to distinguish keys")


def _tell_apart(subject: Subject, keys: UintArray, aspect: Any) -> bool:
    """Compare keys by an aspect of their masks; return False if too little of it is drawn.

    The probability that two draws agree by chance is estimated from each key under two seeds.
    """
    tokens = subject.equal_rows(keys)
    expected, draws = len(keys) * (len(keys) - 1) / 2, [aspect(tokens, subject.mask(tokens))]
    for seed in range(1, MAX_SEEDS):
        draws.append(aspect(tokens, subject.mask(tokens, seed=seed)))
        expected *= float((draws[-1] == draws[-2]).sum() + 3) / len(keys)
        if expected < RARE:
            break
    else:
        return False
    _, first, group = np.unique(np.stack(draws), axis=1, return_index=True, return_inverse=True)
    twins = np.flatnonzero(first[group] != np.arange(len(keys)))
    assert not len(twins), (
        f"{len(twins)} of {len(keys)} keys share all their masks with another key: "
        f"{keys[twins[0]]} is masked like {keys[first[group[twins[0]]]]} under every seed. Use all "
        "64 bits of the key: draw from the rng that the part receives, not from a generator with a "
        "smaller seed"
    )
    return True
