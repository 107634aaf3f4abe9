"""Both sides of a comparison are called alike, in turn."""

from __future__ import annotations

from collections import Counter

from benchmarks.comparison import Comparison, compare
from benchmarks.timing import timed


def test_the_ratio_lies_in_the_middle_of_its_rounds() -> None:
    calls = Counter[str]()
    made = Comparison(
        "counting", "us", 100, lambda: calls.update(["ours"]), lambda: calls.update(["theirs"])
    )
    found = compare(made, rounds=5)
    low, high = found["middle half of ratios"]
    assert 0 < low <= found["ratio"] <= high
    assert min(calls.values()) >= 2 + 5
    assert found["goal"] is None


def test_one_round_is_enough() -> None:
    found = compare(Comparison("nothing", "us", 1, lambda: None, lambda: None), rounds=1)
    assert found["middle half of ratios"] == [found["ratio"]] * 2


def test_every_timed_call_is_one_of_its_own() -> None:
    made = []

    def prepare():  # type: ignore[no-untyped-def]
        made.append(0)
        number = len(made) - 1

        def call() -> None:
            made[number] += 1

        return call

    taken = timed({"side": prepare}, rounds=4, least=0.0)
    assert made == [1] * len(made)
    assert len(taken["side"]) == 4
