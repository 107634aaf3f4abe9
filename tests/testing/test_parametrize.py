"""The checks as tests of pytest."""

from __future__ import annotations

import pytest

import maskplug
from maskplug.testing import CHECKS, NotApplicable, Subject, parametrize_with_checks
from support.broken import of
from support.broken_selectors import OneStream


def params(*strategies: object, **options: object) -> list[pytest.param]:  # type: ignore[valid-type]
    """What the decorator gives to pytest."""
    mark = parametrize_with_checks(strategies, **options).mark  # type: ignore[arg-type, attr-defined]
    assert mark.args[0] == ("subject", "check")
    return list(mark.args[1])


def test_there_is_a_test_for_each_strategy_and_check() -> None:
    made = params("dynamic", maskplug.strategy("span", rate=0.4))
    assert len(made) == 2 * len(CHECKS)
    assert made[0].id == "dynamic@1-spec_round_trip"
    assert made[-1].id == "span@1-missing_mask"
    assert made[-1].values[0].strategy.spec["options"]["rate"] == 0.4


def test_known_exceptions_are_expected_to_fail() -> None:
    marked = {
        p.id: p.marks[0].kwargs["reason"]
        for p in params("none", known={"check_labels": "ours"})
        if p.marks
    }
    assert marked["none@1-labels"] == "ours"
    assert "baseline" in marked["none@1-something_is_predicted"]


def test_a_check_that_does_not_apply_is_skipped() -> None:
    def check_never(subject: Subject) -> None:
        raise NotApplicable("not for this one")

    (case,) = params("dynamic", checks=[check_never])
    with pytest.raises(pytest.skip.Exception, match="not for this one"):
        case.values[1](case.values[0])


def test_a_failing_check_fails() -> None:
    cases = {p.id: p for p in params(of(OneStream()))}
    case = cases["-row_order"]
    with pytest.raises(AssertionError, match="in the reverse order"):
        case.values[1](case.values[0])


@parametrize_with_checks(["static", maskplug.strategy("dynamic", unit="word", clock="step")])
def test_it_works_as_a_decorator(subject, check):  # type: ignore[no-untyped-def]
    check(subject)
