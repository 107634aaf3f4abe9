"""wait_k: delays, catchup, and random delays."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import maskplug
from maskplug.attention import WaitK
from maskplug.clock import Epoch
from maskplug.schedule import Linear
from support import reference as ref


def visible(pattern: maskplug.Pattern, targets: int, sources: int, **more: object) -> list[int]:
    """How many source tokens each target token of one sample sees: the first ones."""
    mask = pattern.dense(targets, sources, attention_kind="cross", **more)[0, 0]
    assert (mask[:, :-1] >= mask[:, 1:]).all()
    return [int(count) for count in mask.sum(-1)]


@pytest.mark.parametrize("k", [1, 2, 3, 7, 8, 50])
@pytest.mark.parametrize(("targets", "sources"), [(1, 1), (5, 8), (12, 8), (8, 1), (1, 9)])
def test_wait_k(k: int, targets: int, sources: int) -> None:
    assert visible(WaitK(k), targets, sources) == [min(k + q, sources) for q in range(targets)]


def test_catchup_matches_the_paper() -> None:
    # With c = 1/4 the fourth, eighth, … of the target tokens read nothing.
    assert visible(WaitK(3, catchup=0.25), 9, 99) == [3, 4, 5, 5, 6, 7, 8, 8, 9]
    assert visible(WaitK(3, catchup=-0.5), 6, 99) == [3, 5, 6, 8, 9, 11]
    assert visible(WaitK(1, catchup=0.99), 300, 5)[:101] == [1] * 100 + [2]


def test_delays_are_uniform_and_redrawn() -> None:
    keys = np.arange(6_000, dtype=np.uint64)
    multipath = WaitK(2, most=5)

    def delays(pattern: WaitK = multipath, **context: int) -> list[int]:
        rows = pattern.intervals(1, 99, attention_kind="cross", keys=keys, **context)
        return [int(end) for end in rows.hi[:, 0, 0, 0]]

    counts = Counter(delays())
    assert set(counts) == {2, 3, 4, 5}
    assert all(abs(count - 1500) < 4 * 34 for count in counts.values())  # sd: 33.5
    same = np.mean(np.equal(delays(), delays(t=1)))
    assert abs(same - 0.25) < 4 * 0.0056
    words = [ref.Sample(0, 3, key).words("wait", 1)[0] for key in range(50)]
    assert delays(t=3)[:50] == [2 + ref.below(word, 4) for word in words]
    slow = WaitK(2, most=5, clock=Epoch())
    assert delays(slow, t=1) == delays(slow)
    assert delays(slow, epoch=1) == delays(t=1)


def test_most_below_k_gives_k() -> None:
    crossing = WaitK(Linear(1, 5), most=Linear(5, 1))
    counts = [visible(crossing, 3, 99, progress=p, t=4) for p in (0.5, 0.8, 1.0)]
    assert counts == [[3, 4, 5], [4, 5, 6], [5, 6, 7]]
