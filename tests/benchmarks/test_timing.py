"""Both sides of a comparison are called equally, in turn; the peak memory is that of one call."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks import growth, timing
from benchmarks.inputs import batch, unseen
from benchmarks.timing import RESET, Comparison, compare, peak, timed

MIB = 1 << 20
SIZES = [1.0, 10.0, 100.0, 1000.0]


def test_ratio_lies_in_the_middle_of_its_rounds() -> None:
    calls = Counter[str]()
    comparison = Comparison(
        "counting", "us", 100, lambda: calls.update(["ours"]), lambda: calls.update(["theirs"])
    )
    row = compare(comparison, rounds=5, small=True)
    low, high = row["middle half of ratios"]
    assert 0 < low <= row["ratio"] <= high
    assert calls == {"ours": 6, "theirs": 6}
    assert (row["goal"], row["reached"], row["peer, MiB"]) == (None, None, None)


def test_one_round_is_enough() -> None:
    row = compare(Comparison("", "us", 1, lambda: None, lambda: None, goal=1e9), 1, small=True)
    assert row["middle half of ratios"] == [row["ratio"]] * 2
    assert row["reached"] == "no"


def test_every_timed_call_is_prepared_separately() -> None:
    calls: list[int] = []

    def prepare():  # type: ignore[no-untyped-def]
        calls.append(0)
        number = len(calls) - 1

        def call() -> None:
            calls[number] += 1

        return call

    values = timed({"side": prepare}, rounds=4, least=0.0001)
    assert calls == [1] * len(calls)
    assert len(values["side"]) == 4


@pytest.mark.skipif(not RESET.exists(), reason="Linux only")
def test_peak_memory_is_that_of_each_call_alone() -> None:
    sizes = [64 * MIB, 8 * MIB, 0, 8 * MIB]
    peaks = [peak(lambda size=size: np.ones(size, np.int8)) for size in sizes]
    assert peaks == pytest.approx([64, 8, 0, 8], abs=1.0)


@pytest.mark.skipif(not RESET.exists(), reason="Linux only")
def test_peak_memory_of_a_failing_call_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="the call failed"):
        peak(lambda: 1 / 0)


def test_peak_memory_is_unknown_outside_linux(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(timing, "RESET", tmp_path / "absent")
    assert peak(lambda: None) is None


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_slope_is_the_power_of_the_size(power: float) -> None:
    assert growth.slope(SIZES, [3 * x**power for x in SIZES]) == pytest.approx(power)


def test_slope_ignores_fixed_cost_and_coarse_values() -> None:
    assert growth.slope(SIZES, [50.0, 50.0, 100.0, 1000.0]) == pytest.approx(1.0)
    assert growth.slope(SIZES, [0.0, 0.0, 0.5, 20.0], least=1.0) is None


def test_each_axis_changes_only_its_own_size() -> None:
    for number, axis in enumerate(("rows", "length", "rate")):
        values = [size[number] for size in growth.AXES[axis]]
        assert values == sorted(values)
        others = {tuple(x for i, x in enumerate(size) if i != number) for size in growth.AXES[axis]}
        assert len(others) == 1


def test_unseen_batch_has_the_same_samples_without_cached_properties() -> None:
    tokens = batch(2, 8)
    tokens.lengths  # noqa: B018 - cached from now on
    fresh = unseen(tokens)
    assert "lengths" not in vars(fresh)
    assert fresh.ids.base is not None
    assert fresh.ids.tolist() == tokens.ids.tolist()
    assert fresh.keys.tolist() == tokens.keys.tolist()
