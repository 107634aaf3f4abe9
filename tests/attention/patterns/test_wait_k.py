"""wait_k: delays, catchup, and random delays."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

import maskplug
from maskplug.attention import WaitK
from maskplug.clock import Epoch, Step
from maskplug.schedule import Linear
from support import reference as ref


def visible(pattern: maskplug.Pattern, targets: int, sources: int, **more: object) -> list[int]:
    """How many source tokens each target token of one sample sees: the first ones."""
    seen = pattern.dense(targets, sources, attention_kind="cross", **more)[0, 0]
    assert (seen[:, :-1] >= seen[:, 1:]).all()
    return [int(count) for count in seen.sum(-1)]


@pytest.mark.parametrize("k", [1, 2, 3, 7, 8, 50])
@pytest.mark.parametrize(("targets", "sources"), [(1, 1), (5, 8), (12, 8), (8, 1), (1, 9)])
def test_wait_k(k: int, targets: int, sources: int) -> None:
    assert visible(WaitK(k), targets, sources) == [min(k + q, sources) for q in range(targets)]


def test_catchup_matches_the_paper() -> None:
    # With c = 1/4 the fourth, eighth, … of the target tokens read nothing.
    assert visible(WaitK(3, catchup=0.25), 9, 99) == [3, 4, 5, 5, 6, 7, 8, 8, 9]
    assert visible(WaitK(3, catchup=-0.5), 6, 99) == [3, 5, 6, 8, 9, 11]
    assert visible(WaitK(1, catchup=0.99), 300, 5)[:101] == [1] * 100 + [2]


@pytest.mark.parametrize("catchup", [0.0, 0.3, 0.999, -0.7, -3.0])
@pytest.mark.parametrize("most", [None, 6])
def test_read_tokens_stay_visible_and_rows_are_not_empty(catchup: float, most: int | None) -> None:
    for key in range(20):
        seen = visible(WaitK(1, most, catchup), 40, 17, keys=[key])
        assert seen == sorted(seen)
        assert seen[0] >= 1


def test_k_follows_a_schedule() -> None:
    growing = maskplug.pattern("wait_k(k=linear(1, 5))")
    assert growing.is_dynamic
    masks = [growing.dense(9, 12, attention_kind="cross", progress=at) for at in (0.0, 0.5, 1.0)]
    assert [int(mask[0, 0, 0].sum()) for mask in masks] == [1, 3, 5]
    assert all((a <= b).all() and (a != b).any() for a, b in pairwise(masks))


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


def test_most_follows_a_schedule() -> None:
    pattern = maskplug.pattern("wait_k(k=2, most=linear(2, 6))")
    drawn = []
    for progress in (0.0, 0.5, 1.0):
        rows = pattern.intervals(1, 99, attention_kind="cross", keys=range(400), progress=progress)
        drawn.append(np.broadcast_to(rows.hi[:, 0, 0, 0], 400))
    assert [set(delays.tolist()) for delays in drawn] == [{2}, {2, 3, 4}, {2, 3, 4, 5, 6}]
    assert all((a <= b).all() for a, b in pairwise(drawn))  # the same word, of a wider range


def test_most_below_k_gives_k() -> None:
    crossing = WaitK(Linear(1, 5), most=Linear(5, 1))
    seen = [visible(crossing, 3, 99, progress=p, t=4) for p in (0.5, 0.8, 1.0)]
    assert seen == [[3, 4, 5], [4, 5, 6], [5, 6, 7]]


def test_catchup_follows_a_schedule() -> None:
    pattern = maskplug.pattern("wait_k(k=3, catchup=linear(-0.5, 0.5))")
    seen = [visible(pattern, 6, 99, progress=p) for p in (0.0, 0.5, 1.0)]
    assert seen == [visible(WaitK(3, catchup=c), 6, 99) for c in (-0.5, 0.0, 0.5)]
    assert seen[2] == [3, 3, 4, 4, 5, 5]
    both = pattern.dense(6, 99, attention_kind="cross", keys=[1, 2], progress=np.array([1.0, 0.0]))
    assert both[:, 0].sum(-1).tolist() == [seen[2], seen[0]]


def test_is_dynamic_only_if_k_is_drawn() -> None:
    assert not maskplug.pattern("wait_k:k=3").is_dynamic
    assert WaitK(3, most=5) == WaitK(3, most=5, clock=Step())
    assert maskplug.pattern("wait_k:k=3,most=5").is_dynamic
    assert not maskplug.pattern("wait_k:k=3,most=5,clock=never").is_dynamic


def test_most_equal_to_k() -> None:
    assert visible(WaitK(3, most=3), 6, 9, t=5) == visible(WaitK(3), 6, 9)


def test_padding_has_the_mask_of_the_first_token() -> None:
    valid, queries = [[0, 0, 1, 1, 1, 1, 0]], [[0, 1, 1, 1]]
    seen = WaitK(2).dense(4, 7, attention_kind="cross", valid=valid, valid_queries=queries)[0, 0]
    assert seen.astype(int).tolist() == [
        [0, 0, 1, 1, 0, 0, 0],
        [0, 0, 1, 1, 0, 0, 0],
        [0, 0, 1, 1, 1, 0, 0],
        [0, 0, 1, 1, 1, 1, 0],
    ]
