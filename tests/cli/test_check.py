"""``maskplug check``: its table, exit codes and messages."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

import maskplug
from maskplug.attention import Sink
from maskplug.plugins import registry
from maskplug.registry import Entry
from maskplug.testing import CHECKS, PATTERN_CHECKS
from support.commands import refused, run, succeeded


def careless(rate: float = 0.5) -> maskplug.Strategy:
    return replace(maskplug.strategy("dynamic", rate=rate / 2), label="careless@1")


class Leaky(Sink):
    """A pattern that depends on padding."""

    def rows(self, site):  # type: ignore[no-untyped-def]
        return site.intervals((0 * site.q, site.kv_len // 3))


ENTRIES = [
    Entry("strategy", "careless", 1, careless, "broken"),
    Entry("pattern", "leaky", 1, Leaky, "broken"),
    Entry("pattern", "span", 1, Sink, "maskplug"),
]


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry(), "entries", [*registry().entries, *ENTRIES])


def test_failures_are_shown_in_full() -> None:
    result = run("check", "leaky")
    assert result.exit_code == 1
    assert "broken:leaky@1:n=4  check_padding" in result.output
    assert "with 0 padding tokens on the left and 5 on the right" in result.output


def test_known_exceptions_are_shown_with_their_reasons() -> None:
    assert "known (the baseline without masking predicts nothing)" in succeeded("check", "none")


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("none", "dynamic", "periodic", "compose", "full", "careless"), id="few"),
        pytest.param((), marks=pytest.mark.slow, id="all"),
    ],
)
def test_without_a_name_everything_that_needs_no_options_is_checked(
    monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    entries = [
        e
        for e in registry().entries
        if e.kind not in ("strategy", "pattern") or e.name in names or not names
    ]
    monkeypatch.setattr(registry(), "entries", entries)
    result = run("check")
    assert result.exit_code == 1
    assert (
        "careless@1  check_rate\n0.250000 of the tokens are chosen on average, but" in result.output
    )
    lines = {line.split()[0]: line for line in result.output.splitlines() if "passed" in line}
    failed = {label for label, line in lines.items() if "failed" in line}
    assert failed == {"broken:careless@1"} | ({"broken:leaky@1:n=4"} if not names else set())
    assert {"none@1", "maskplug-example:periodic@1", "full"} <= set(lines)
    assert "compose@1" not in lines
    assert names or {"span@1", "sink:n=4", "document"} <= set(lines)


@pytest.mark.parametrize(
    ("arguments", "label"),
    [
        (["sink", "--options", '{"n": 2}'], "sink:n=2"),
        (["window(left=2) & document"], "window:left=2,right=0 & document"),
        (["~window(left=2)"], "~window:left=2,right=0"),
    ],
)
def test_patterns_are_checked_by_name_and_expression(arguments: list[str], label: str) -> None:
    assert f"{label}: " in succeeded("check", *arguments)


def test_a_strategy_and_a_pattern_of_one_name_are_both_checked() -> None:
    both = succeeded("check", "span", "--seed", "3")
    assert all(check.__name__ in both for check in (*CHECKS, *PATTERN_CHECKS))
    assert "not applicable (no sentinels are written)" in both
    assert "span@1: 42 passed, 4 not applicable" in both
    assert "sink:n=4: 20 passed" in both
    pattern = succeeded("check", "span", "--options", '{"n": 2}', "--kind", "pattern")
    assert "span@1" not in pattern
    message = refused("check", "span", "--options", '{"n": 2}')
    assert "'span' is a strategy and a pattern; select one with --kind" in message


def test_without_pytest_the_message_is_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytest", None)
    output = refused("check", "none")
    assert output.strip() == (
        "Error: the checks run with pytest, which is not installed: pip install 'maskplug[testing]'"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["spam"], "did you mean 'span'"),
        (["dynamic", "--options", '{"rat": 1}'], "did you mean 'rate'"),
        (["dynamic", "--options", "[]"], "must be a JSON object"),
        (["compose"], "needs the option 'selector'"),
        (["dynamic", "--seed", "-1"], "seed is -1"),
        (["--options", '{"rate": 0.3}'], "needs the NAME"),
        (["wait"], "unknown pattern 'wait'; did you mean 'wait_k'"),
        (["window"], "pattern 'window@1' needs the option 'left'"),
        (["window:left="], "pattern 'window:left=' cannot be read"),
        (["causal", "--kind", "strategy"], "unknown strategy 'causal'"),
        (["full", "--options", '{"n": 2}'], "pattern 'full@1' has no option 'n'"),
    ],
)
def test_invalid_input_is_refused(arguments: list[str], message: str) -> None:
    assert message in refused("check", *arguments)
