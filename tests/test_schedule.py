"""Values that change with progress."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskplug
from maskplug.errors import OptionError
from maskplug.schedule import Constant, Cosine, Linear, Steps
from support.batches import VOCAB, equal_rows

value = st.floats(0, 1)
progress = st.lists(st.floats(-0.5, 1.5), min_size=2, max_size=30)


@pytest.mark.parametrize("schedule", [Linear, Cosine])
@given(start=value, end=value)
def test_exact_at_both_ends_and_clamped_outside(schedule: Any, start: float, end: float) -> None:
    values = schedule(start, end)(np.array([-3.0, 0.0, 1.0, 1.0000001, 9.0]))
    assert values.tolist() == [start, start, end, end, end]


@pytest.mark.parametrize("schedule", [Linear, Cosine])
@given(start=value, end=value, at=progress)
def test_monotone_and_within_bounds(
    schedule: Any, start: float, end: float, at: list[float]
) -> None:
    line = schedule(start, end)
    values = line(np.sort(at)) * (1 if start <= end else -1)
    assert (np.diff(values) >= -1e-15).all()  # rounding in the last place
    low, high = line.bounds
    assert (line(np.array(at)) >= low - 1e-15).all()
    assert (line(np.array(at)) <= high + 1e-15).all()


def test_shapes_of_the_curves() -> None:
    at = np.array([0.25, 0.5, 0.75])
    assert Linear(0.4, 0.0)(at).tolist() == pytest.approx([0.3, 0.2, 0.1])
    half = (1 - np.cos(np.pi / 4)) / 2
    assert Cosine(0.0, 1.0)(at).tolist() == pytest.approx([half, 0.5, 1 - half])


@given(value, progress)
def test_constant(level: float, at: list[float]) -> None:
    assert Constant(level)(np.array(at)).tolist() == [level] * len(at)
    assert Constant(level).bounds == (level, level)


def test_steps_change_at_their_points() -> None:
    steps = Steps((0.4, 0.3, 0.2), (0.25, 0.5))
    at = np.array([-1.0, 0.0, 0.2499, 0.25, 0.4999, 0.5, 1.0, 2.0])
    assert steps(at).tolist() == [0.4, 0.4, 0.4, 0.3, 0.3, 0.2, 0.2, 0.2]
    assert steps.bounds == (0.2, 0.4)
    assert Steps((1,), ())(at).dtype == np.float64


@pytest.mark.parametrize(
    ("values", "at"),
    [((0.1,), (0.5,)), ((0.1, 0.2, 0.3), (0.5, 0.5)), ((0.1, 0.2), (0.0,)), ((0.1, 0.2), (1.0,))],
)
def test_invalid_steps_are_refused(values: Any, at: Any) -> None:
    with pytest.raises(OptionError, match="'at' must increase between 0 and 1"):
        Steps(values, at)


SCHEDULES: list[tuple[Any, list[int]]] = [
    ({"name": "linear", "start": 0.5, "end": 0.1}, [50, 30, 10]),
    ({"name": "cosine", "start": 0.5, "end": 0.1}, [50, 30, 10]),
    ({"name": "steps", "values": [0.5, 0.1], "at": [0.4]}, [50, 10, 10]),
    ({"name": "constant", "value": 0.2}, [20, 20, 20]),
    (0.2, [20, 20, 20]),
]


@pytest.mark.parametrize(("rate", "counts"), SCHEDULES, ids=str)
@pytest.mark.parametrize(("name", "options"), [("dynamic", {}), ("span", {"unit": "token"})])
def test_schedules_change_the_budget(name: str, options: Any, rate: Any, counts: list[int]) -> None:
    strategy = maskplug.strategy(name, rate=rate, **options)
    for progress, count in zip([0.0, 0.5, 1.0], counts, strict=True):
        masked = strategy(equal_rows(1, 100), VOCAB, progress=progress)
        assert abs(int(masked.selection.mask.sum()) - count) <= 1  # 30.000000000000004 may be 31


@pytest.mark.parametrize("name", ["static", "dynamic", "whole_word", "span", "word_dropout"])
@pytest.mark.parametrize(("start", "end"), [(0.5, 1.5), (-0.1, 0.5)])
def test_schedules_of_rates_stay_between_0_and_1(name: str, start: float, end: float) -> None:
    rate = {"name": "linear", "start": start, "end": end}
    with pytest.raises(OptionError, match=r"'rate' is Linear\(.*stays between them"):
        maskplug.strategy(name, rate=rate)
