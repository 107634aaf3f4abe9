"""Every check catches what it is there for, and says so."""

from __future__ import annotations

import pytest

from maskplug.plugins import registry
from maskplug.registry import Entry
from maskplug.testing import CHECKS, Subject, check
from support.broken import BROKEN, FACTORIES, Broken

BY_NAME = {one.__name__: one for one in CHECKS}
EXAMPLES = [(name, example) for name, examples in BROKEN.items() for example in examples]


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [Entry("strategy", name, 1, made, "broken") for name, made in FACTORIES.items()]
    monkeypatch.setattr(registry(), "entries", [*registry().entries, *entries])


def test_every_check_has_a_broken_example() -> None:
    assert list(BROKEN) == list(BY_NAME)
    assert all(BROKEN.values())


@pytest.mark.parametrize(
    ("name", "example"), EXAMPLES, ids=[f"{name}-{e.says}" for name, e in EXAMPLES]
)
def test_the_check_catches_it_and_says_what_is_wrong(name: str, example: Broken) -> None:
    with pytest.raises(AssertionError, match=example.says):
        BY_NAME[name](Subject.of(example.make()))


def test_all_other_checks_run_on_a_broken_strategy_too() -> None:
    for name in ("check_empty_rows", "check_padding", "check_layers"):
        report = check(BROKEN[name][0].make())
        assert len(report.results) == len(CHECKS)
        assert name in {result.check for result in report.having("failed")}
        assert not report.ok
