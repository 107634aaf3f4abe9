"""``maskplug check``: its table, its exit codes, its messages."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from maskplug.cli import main
from maskplug.plugins import registry
from maskplug.registry import Entry
from maskplug.testing import CHECKS, PATTERN_CHECKS


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments], env={"COLUMNS": "200"})


def careless(rate: float = 0.5):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    import maskplug

    return replace(maskplug.strategy("dynamic", rate=rate / 2), label="careless@1")


@pytest.fixture
def _careless(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = Entry("strategy", "careless", 1, careless, "broken")
    monkeypatch.setattr(registry(), "entries", [*registry().entries, entry])


def test_one_line_a_check_and_zero_when_all_is_well() -> None:
    result = run("span", "--options", json.dumps({"rate": 0.3}), "--seed", "3")
    assert result.exit_code == 0, result.output
    for check in CHECKS:
        assert check.__name__ in result.output
    assert "not applicable (no sentinels are written)" in result.output
    assert "span@1: 42 passed, 4 not applicable" in result.output


@pytest.mark.usefixtures("_careless")
def test_a_failure_is_told_in_full_and_the_exit_code_is_one() -> None:
    result = run("careless")
    assert result.exit_code == 1
    assert "careless@1  check_rate" in result.output
    assert "0.250000 of the tokens are chosen on average, and the option 'rate' is 0.5" in (
        result.output
    )


def test_known_exceptions_are_told_with_their_reason() -> None:
    result = run("none")
    assert result.exit_code == 0
    assert "known (the baseline without masking: nothing is to be predicted)" in result.output


@pytest.mark.usefixtures("_careless")
def test_without_a_name_everything_that_needs_no_options_is_checked() -> None:
    result = run()
    assert result.exit_code == 1  # because of the careless one, and only of that
    lines = {line.split()[0]: line for line in result.output.splitlines() if "passed" in line}
    assert "failed" in lines["broken:careless@1"]
    others = [line for name, line in lines.items() if name != "broken:careless@1"]
    assert {"span@1", "none@1", "maskplug-example:periodic@1"} <= set(lines)
    assert "compose@1" not in lines
    assert {"full", "sink:n=4", "document"} <= set(lines)
    assert not any("failed" in line for line in others), result.output


@pytest.mark.parametrize(
    ("arguments", "label"),
    [
        (["sink@1"], "sink:n=4"),
        (["sink", "--options", '{"n": 2}', "--seed", "3"], "sink:n=2"),
        (["window:left=2 & document"], "window:left=2,right=0 & document"),
        (["~window:left=2"], "~window:left=2,right=0"),
    ],
)
def test_patterns_are_checked_by_name_and_expression(arguments: list[str], label: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    assert f"{label}: " in result.output
    for check in PATTERN_CHECKS:
        assert check.__name__ in result.output


def test_a_broken_pattern_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from maskplug.attention import Sink

    class Leaky(Sink):
        """Looks at the padded row."""

        def rows(self, site):  # type: ignore[no-untyped-def]
            return site.intervals((0 * site.q, site.kv_len // 3))

    entry = Entry("pattern", "leaky", 1, Leaky, "broken")
    monkeypatch.setattr(registry(), "entries", [*registry().entries, entry])
    result = run("leaky")
    assert result.exit_code == 1
    assert "broken:leaky@1:n=4  check_padding" in result.output
    assert "with 0 padding tokens on the left and 5 on the right" in result.output


def test_what_a_strategy_and_a_pattern_share_is_checked_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from maskplug.attention import Sink

    entry = Entry("pattern", "span", 1, Sink, "maskplug")
    monkeypatch.setattr(registry(), "entries", [entry, *registry().entries])
    both = run("span")
    assert both.exit_code == 0
    assert "span@1: 42 passed" in both.output
    assert "span:n=4: 19 passed" in both.output
    assert "span@1" not in run("span", "--kind", "pattern").output
    unclear = run("span", "--options", '{"n": 2}')
    assert unclear.exit_code == 2
    assert "a strategy 'span' and a pattern 'span'; --kind says" in unclear.output
    assert run("span", "--options", '{"n": 2}', "--kind", "pattern").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["spam"], "did you mean 'span'"),
        (["span", "--options", '{"rat": 1}'], "did you mean 'rate'"),
        (["span", "--options", "[]"], "must be a JSON object"),
        (["compose"], "needs the option 'selector'"),
        (["span", "--seed", "-1"], "seed is -1"),
        (["--options", '{"rate": 0.3}'], "give its NAME"),
        (["wait"], "unknown pattern 'wait'; did you mean 'wait_k'"),
        (["window"], "pattern 'window@1' needs the option 'left'"),
        (["window:left="], "pattern 'window:left=' cannot be read"),
        (["causal", "--kind", "strategy"], "unknown strategy 'causal'"),
        (["full", "--options", '{"n": 2}'], "pattern 'full@1' has no option 'n'"),
    ],
)
def test_bad_input_is_named_without_a_traceback(arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.output
    assert "Traceback" not in result.output
