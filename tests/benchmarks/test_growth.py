"""Slopes: what is linear has one of 1, what is quadratic one of 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import growth, plots
from benchmarks.inputs import batch, unseen, vocabulary

SIZES = [1.0, 10.0, 100.0, 1000.0]


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_the_slope_is_the_power(power: float) -> None:
    assert growth.slope(SIZES, [3 * x**power for x in SIZES]) == pytest.approx(power)


def test_a_fixed_cost_at_small_sizes_does_not_count() -> None:
    assert growth.slope(SIZES, [50.0, 50.0, 100.0, 1000.0]) == pytest.approx(1.0)


def test_there_is_no_slope_where_figures_are_too_coarse() -> None:
    assert growth.slope(SIZES, [0.0, 0.0, 0.5, 20.0], least=1.0) is None


def test_axes_begin_small_and_move_one_size() -> None:
    for axes in (growth.AXES, growth.SMALL):
        for number, axis in enumerate(("rows", "length", "rate")):
            moving = [size[number] for size in axes[axis]]
            assert moving == sorted(moving)
            still = {tuple(x for i, x in enumerate(size) if i != number) for size in axes[axis]}
            assert len(still) == 1


def test_an_unseen_batch_has_the_same_samples_and_no_memory() -> None:
    tokens = batch(2, 8, vocabulary())
    tokens.lengths  # noqa: B018 - remembered from now on
    fresh = unseen(tokens)
    assert "lengths" not in vars(fresh)
    assert fresh.ids.base is not None
    assert fresh.ids.tolist() == tokens.ids.tolist()
    assert fresh.keys.tolist() == tokens.keys.tolist()


def test_both_pictures_are_drawn_and_the_same_figures_give_the_same_bytes(tmp_path: Path) -> None:
    found = {"sizes": [1, 10, 100], "ms": [1.0, 5.0, 40.0], "MiB": [0.0, 1.0, 9.0]}
    without = {"sizes": [1, 10, 100], "ms": [1.0, 5.0, 40.0]}
    row = {"peer": "p", "what": "w", "middle half of ratios": [2.0, 4.0]}
    results = {
        "comparisons": [{**row, "ratio": 3.0, "goal": 5.0}, {**row, "ratio": 0.5, "goal": None}],
        "growth": {"rows": {"dynamic": found, "span": without}},
    }
    first = plots.draw(results, tmp_path / "a")
    again = plots.draw(results, tmp_path / "b")
    assert [path.name for path in first] == ["speed.svg", "growth.svg"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    assert not plots.draw({"comparisons": []}, tmp_path / "c")
