"""Every numeric option of a pattern can be a schedule, with a value per sample."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest

import maskplug
from maskplug.attention import AttentionCall, Intervals
from maskplug.attention.patterns.dilated import by_value
from maskplug.parts import Schedule
from maskplug.plugins import registry
from maskplug.registry import BUILTIN
from maskplug.schedule import Constant, Linear
from support.attention_cases import CASES
from support.scale import scenes
from support.scenes import Case, attention_call, random_scenes, scene, spread

pytestmark = pytest.mark.filterwarnings("ignore:pattern .* hides every key")
#: Numeric options that cannot be schedules, with the reason.
EXCEPTIONS = {
    ("global_tokens@1", "positions"): "a list of positions, whose length is part of the option",
    ("unilm@1", "shares"): "a distribution over four modes, not a number",
}


def numbers_in(annotation: Any) -> set[Any]:
    """Return the types in an option's annotation, also inside tuples and unions."""
    inner = get_args(annotation)
    return set().union(*map(numbers_in, inner)) if inner else {annotation}


def numeric() -> dict[tuple[str, str], bool]:
    """Return every numeric option of a built-in pattern, and whether it can be a schedule."""
    return {
        (entry.label, name): Schedule in named
        for entry in registry().of_kind("pattern")
        if entry.provider == BUILTIN
        for name, annotation in get_type_hints(entry.factory.__init__).items()
        if {int, float} & (named := numbers_in(annotation))
    }


def scheduled(pattern: maskplug.Pattern) -> set[tuple[str, str]]:
    """Return the options of a pattern that are schedules."""
    return {
        (part.spec["name"], name)
        for part in pattern.parts
        if isinstance(part, maskplug.Pattern)
        for name, value in vars(part).items()
        if isinstance(value, Schedule)
    }


NUMERIC = numeric()
MOVING = [case for case in CASES if scheduled(case.pattern)]
#: Single patterns without schedules.
PLAIN = [
    case for case in CASES if case not in MOVING and any(name == case.name for name, _ in NUMERIC)
]


def test_every_numeric_option_can_be_a_schedule() -> None:
    assert {option for option, takes in NUMERIC.items() if not takes} == set(EXCEPTIONS)


def test_every_schedule_option_has_a_case() -> None:
    tried = set().union(*(scheduled(case.pattern) for case in CASES))
    assert {option for option, takes in NUMERIC.items() if takes} == tried


@pytest.mark.parametrize("case", PLAIN, ids=[case.text for case in PLAIN])
def test_constant_schedules_match_numbers(case: Case) -> None:
    pattern = case.pattern
    options = {name for label, name in NUMERIC if label == case.name}
    constant = {
        name: Constant(float(value))
        for name, value in vars(pattern).items()
        if name in options and isinstance(value, int | float)
    }
    same = replace(pattern, **constant)
    for where in random_scenes(case, 10, seed=7):
        plain, result = (one.dense(**where.arguments) for one in (pattern, same))
        assert plain.shape == result.shape
        assert (plain == result).all()


@pytest.mark.parametrize("case", MOVING, ids=[case.text for case in MOVING])
def test_samples_at_different_progress_match_single_samples(case: Case) -> None:
    rng = np.random.default_rng(8)
    for where in (scene(case, rng) for _ in range(scenes(10, 40))):
        progress = rng.choice([0.0, 0.2, 0.5, 0.7, 1.0], where.batch)
        together = case.pattern.dense(**{**where.arguments, "progress": progress})
        together = spread(together, where)
        for sample, at in enumerate(progress):
            alone = case.pattern.dense(**{**where.alone(sample), "progress": at})
            shape = (1, *together.shape[1:])
            assert (np.broadcast_to(alone, shape) == together[sample : sample + 1]).all()


def call(*progress: float) -> AttentionCall:
    return attention_call(6, 6, len(progress), progress=np.array(progress))


def test_by_value_computes_each_value_once() -> None:
    calls: list[int] = []

    def make(value: int) -> Intervals:
        calls.append(value)
        return call().intervals((0, value))

    for progress, option, expected in [
        ((0.0, 0.5, 1.0), 3, [3]),
        ((0.5, 0.5, 0.5), Linear(1, 5), [3]),
        ((0.0, 0.5, 0.55, 0.0), Linear(1, 5), [1, 3]),
        ((), Linear(1, 5), []),
    ]:
        rows = by_value(call(*progress), option, make)
        assert calls == expected
        calls.clear()
        values = call(*progress).value(option)
        assert rows.shape == (len(values), 1, 6)
        assert (rows.counts == values).all()


def test_equal_steps_are_kept() -> None:
    moving = maskplug.pattern("strided(stride=linear(2, 4))")
    together = moving.intervals(30, keys=range(3), progress=0.5)
    assert (together.step, together.lo.shape) == (3, (1, 1, 30, 1))
    assert moving.intervals(30, keys=range(3), progress=np.array([0.0, 0.5, 1.0])).plain


def test_real_values_are_not_rounded() -> None:
    assert call(0.0, 1.0).real_value(0.3).tolist() == [[[0.3]]]
    assert call(0.5, 0.5).real_value(Linear(0, 1)).tolist() == [[[0.5]]]
    assert call(0.0, 0.25).real_value(Linear(0, 1)).tolist() == [[[0.0]], [[0.25]]]
