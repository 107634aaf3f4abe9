"""Runs the checks with pytest, which is imported only when a check is run or parametrized."""

from __future__ import annotations

import os
import traceback
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from unittest import mock

from pluggy import HookimplMarker

from maskplug.attention import Pattern
from maskplug.errors import PluginError
from maskplug.strategy import Strategy
from maskplug.testing.checks import CHECKS, PATTERN_CHECKS, Check
from maskplug.testing.known import declared, validated
from maskplug.testing.pattern_subject import MakePatternAnnotations, PatternSubject
from maskplug.testing.subject import MakeAnnotations, Subject
from maskplug.vocabulary import Vocabulary

AnySubject = Subject | PatternSubject
Outcome = Literal["passed", "failed", "known", "declared but passes", "not applicable"]
#: Only what the checks need: no configuration, no other plugins, and output left alone.
ARGUMENTS = ("-c", os.devnull, "--noconftest", "--assert=plain", "--capture=no")
UNUSED = "terminal cacheprovider warnings logging faulthandler unraisableexception threadexception"
ENVIRONMENT = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "", "PYTEST_PLUGINS": ""}


@dataclass(frozen=True)
class Result:
    """The result of one check.

    Attributes:
        check: name of the check.
        outcome: "known" is a declared exception; "declared but passes" is a declared exception
            that does not occur.
        message: why the check failed, does not apply, or is an exception; empty if it passed.
        seconds: duration.
    """

    check: str
    outcome: Outcome
    message: str
    seconds: float


@dataclass(frozen=True)
class Report:
    """The results of all checks of one strategy or pattern.

    Attributes:
        label: its name, or its expression.
        results: one per check, in order.
    """

    label: str
    results: tuple[Result, ...]

    def having(self, *outcomes: Outcome) -> tuple[Result, ...]:
        """Return the results with one of these outcomes."""
        return tuple(result for result in self.results if result.outcome in outcomes)

    @property
    def ok(self) -> bool:
        """Whether nothing failed except declared exceptions."""
        return not self.having("failed")

    @property
    def summary(self) -> str:
        """The number of each outcome: ``40 passed, 6 not applicable``."""
        counts = Counter(result.outcome for result in self.results)
        return ", ".join(f"{count} {outcome}" for outcome, count in counts.items())

    def __str__(self) -> str:
        lines = [f"{self.label}: {self.summary}"]
        shown = self.having("failed", "known", "declared but passes")
        return "\n".join([*lines, *(f"{r.check} {r.outcome}: {r.message}" for r in shown)])


def check(
    strategy: str | Mapping[str, Any] | Strategy,
    *,
    options: Mapping[str, Any] | None = None,
    vocab: Vocabulary | None = None,
    annotations: MakeAnnotations | None = None,
    known: Mapping[str, str] | None = None,
    seed: int = 0,
    checks: Sequence[Check] = CHECKS,
) -> Report:
    """Run the checks on a strategy: a name, a spec or a Strategy.

    Args:
        options: options for a name.
        vocab: the vocabulary; by default :func:`rich_vocabulary`.
        annotations: returns the required annotations of a batch, by name; by default they are
            small integers.
        known: expected failures, check name to reason, besides those that the strategy declares.
        seed: determines rows and draws, so that a failure can be reproduced.
        checks: the checks to run, in order.

    Raises:
        MaskplugError: when the strategy cannot be built, ``known`` names no check, or pytest is
            not installed.

    Example:
        >>> from maskplug.testing.checks import invariance, shared
        >>> print(check("dynamic", checks=[shared.check_pickle, invariance.check_repr]))
        dynamic@1: 2 passed
    """
    subject = Subject.of(strategy, vocab, annotations, seed, options)
    return run([subject], checks, validated(known or {}, CHECKS))[0]


def check_pattern(
    pattern: str | Mapping[str, Any] | Pattern,
    *,
    options: Mapping[str, Any] | None = None,
    annotations: MakePatternAnnotations | None = None,
    lengths: Sequence[int] | None = None,
    known: Mapping[str, str] | None = None,
    seed: int = 0,
    checks: Sequence[Check] = PATTERN_CHECKS,
) -> Report:
    """Run the checks on a pattern: a name, an expression, a spec or a Pattern.

    Args:
        options, known, seed, checks: as for :func:`check`.
        annotations: returns the required annotations of a :class:`Sample`, by name: one value per
            key (in cross attention also per query), one number, or a list of pairs. By default
            they are small integers, or suit their name.
        lengths: numbers of keys of the samples, for a pattern that does not accept all.

    Raises:
        MaskplugError: as for :func:`check`.

    Example:
        >>> from maskplug.testing.checks import shared
        >>> print(check_pattern("window(left=4) & document", checks=[shared.check_pickle]))
        window:left=4,right=0 & document: 1 passed
    """
    subject = PatternSubject.of(pattern, annotations, lengths, seed, options)
    return run([subject], checks, validated(known or {}, PATTERN_CHECKS))[0]


def parametrize_with_checks(
    strategies: Sequence[str | Mapping[str, Any] | Strategy],
    *,
    vocab: Vocabulary | None = None,
    annotations: MakeAnnotations | None = None,
    known: Mapping[str, str] | None = None,
    checks: Sequence[Check] = CHECKS,
) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator that creates a pytest test for every check and strategy.

    Checks that do not apply are skipped; declared exceptions are marked ``xfail``. Arguments and
    errors are those of :func:`check`.

    Example::

        from maskplug.testing import parametrize_with_checks

        @parametrize_with_checks(["periodic", maskplug.strategy("periodic", period=3)])
        def test_conformance(subject, check):
            check(subject)
    """
    subjects = [Subject.of(strategy, vocab, annotations) for strategy in strategies]
    return _parametrize(subjects, checks, validated(known or {}, CHECKS))


def parametrize_with_pattern_checks(
    patterns: Sequence[str | Mapping[str, Any] | Pattern],
    *,
    annotations: MakePatternAnnotations | None = None,
    lengths: Sequence[int] | None = None,
    known: Mapping[str, str] | None = None,
    checks: Sequence[Check] = PATTERN_CHECKS,
) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator that creates a pytest test for every check and pattern.

    As :func:`parametrize_with_checks`, with the arguments of :func:`check_pattern`.
    """
    subjects = [PatternSubject.of(pattern, annotations, lengths) for pattern in patterns]
    return _parametrize(subjects, checks, validated(known or {}, PATTERN_CHECKS))


def _parametrize(
    subjects: Sequence[AnySubject], checks: Sequence[Check], known: Mapping[str, str]
) -> Callable[[Callable[..., Any]], Any]:
    cases = [case for subject in subjects for case in _cases(subject, checks, known)]
    return _pytest().mark.parametrize(("subject", "check"), cases)  # type: ignore[no-any-return]


def _cases(
    subject: AnySubject, checks: Sequence[Check] | None, known: Mapping[str, str]
) -> list[Any]:
    """Return the parameters of one test per check."""
    pytest = _pytest()
    if checks is None:
        checks = CHECKS if isinstance(subject, Subject) else PATTERN_CHECKS
    known = {**declared(subject), **known}
    cases = []
    for check in checks:
        name = check.__name__
        marks = [pytest.mark.xfail(reason=known[name])] if name in known else []
        label = f"{subject.label}-{name.removeprefix('check_')}"
        cases.append(pytest.param(subject, check, id=label, marks=marks))
    return cases


def run(
    subjects: Sequence[AnySubject],
    checks: Sequence[Check] | None = None,
    known: Mapping[str, str] | None = None,
    on_result: Callable[[str, Result], Any] = lambda label, result: None,
) -> list[Report]:
    """Run checks on each subject, by default all checks of its kind, in one pytest session.

    Args:
        subjects, checks, known: what to check, with which checks, and expected failures.
        on_result: called after each check with the subject's label.

    Raises:
        PluginError: when pytest is not installed, or under ``python -O``.
        KeyboardInterrupt: when the user interrupts the session.
    """
    pytest = _pytest()
    if not __debug__:
        raise PluginError("checks use assert, which python -O removes; run Python without -O")
    cases = [case for subject in subjects for case in _cases(subject, checks, known or {})]
    recorder = _Recorder(cases, on_result)
    folder = Path(__file__).parent
    # Without confcutdir, pytest lists every folder above this one, such as site-packages.
    arguments = [__file__, f"--rootdir={folder}", f"--confcutdir={folder}", *ARGUMENTS]
    arguments += [f"-pno:{name}" for name in UNUSED.split()]
    with mock.patch.dict(os.environ, ENVIRONMENT):
        code = pytest.main(arguments, plugins=[recorder]) if cases else 0
    if code == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if len(recorder.results) != len(cases):
        raise PluginError(f"pytest ended early with exit code {int(code)}")
    return [
        Report(s.label, tuple(r for subject, r in recorder.results if subject is s))
        for s in subjects
    ]


def test_conformance(subject: Any, check: Check) -> None:
    """Run one check on one subject; pytest executes this for every pair."""
    check(subject)


class _Recorder:
    """A pytest plugin that supplies the pairs of subject and check, and records the results."""

    def __init__(self, cases: list[Any], on_result: Callable[[str, Result], Any]) -> None:
        self.cases = cases
        self.on_result = on_result
        self.results: list[tuple[AnySubject, Result]] = []

    def pytest_generate_tests(self, metafunc: Any) -> None:
        metafunc.parametrize(("subject", "check"), self.cases)

    @HookimplMarker("pytest")(wrapper=True)
    def pytest_runtest_makereport(self, item: Any, call: Any) -> Generator[None, Any, Any]:
        report = yield
        if call.when == "call":
            subject, check = (item.callspec.params[name] for name in ("subject", "check"))
            result = Result(check.__name__, *_outcome(report, call), report.duration)
            self.results.append((subject, result))
            self.on_result(subject.label, result)
        return report


def _outcome(report: Any, call: Any) -> tuple[Outcome, str]:
    if hasattr(report, "wasxfail"):
        return "declared but passes" if report.passed else "known", report.wasxfail
    if report.skipped:
        return "not applicable", str(call.excinfo.value)
    return ("passed", "") if report.passed else ("failed", _explanation(call.excinfo.value))


def _explanation(error: BaseException) -> str:
    """Return the message of a failed check, or where an unexpected error was raised."""
    if isinstance(error, AssertionError) and error.args:
        return str(error)
    frame = traceback.extract_tb((error.__cause__ or error).__traceback__)[-1]
    return f"{type(error).__name__}: {error}\n(raised in {frame.filename}, line {frame.lineno})"


def _pytest() -> Any:
    try:
        import pytest
    except ModuleNotFoundError:
        raise PluginError(
            "the checks run with pytest, which is not installed: pip install 'maskplug[testing]'"
        ) from None
    return pytest
