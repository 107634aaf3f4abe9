"""The checks as tests of pytest, which is imported only here and only when this is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from maskplug.attention import Pattern
from maskplug.strategy import Strategy
from maskplug.testing.checks import CHECKS, Check
from maskplug.testing.checks.patterns import PATTERN_CHECKS, PatternCheck
from maskplug.testing.known import checked, declared
from maskplug.testing.pattern_layers import PatternLayers
from maskplug.testing.pattern_subject import PatternSubject
from maskplug.testing.subject import Layers, NotApplicable, Subject
from maskplug.vocabulary import Vocabulary


def parametrize_with_checks(
    strategies: Sequence[str | Mapping[str, Any] | Strategy],
    *,
    vocab: Vocabulary | None = None,
    annotations: Layers | None = None,
    known: Mapping[str, str] | None = None,
    checks: Sequence[Check] = CHECKS,
) -> Callable[[Callable[..., Any]], Any]:
    """A decorator that makes a test of every check on every strategy.

    A check that does not apply is skipped; a declared exception is expected to fail (``xfail``),
    and pytest tells when it passes.

    Args:
        strategies: by name, spec or as they are.
        vocab, layers, known, checks: as for :func:`maskplug.testing.check`.

    Raises:
        MaskplugError: when a strategy cannot be made, or an exception names no check.

    Example::

        from maskplug.testing import parametrize_with_checks

        @parametrize_with_checks(["periodic", maskplug.strategy("periodic", period=3)])
        def test_keeps_the_promises(subject, check):
            check(subject)
    """
    subjects = [Subject.of(made, vocab, annotations) for made in strategies]
    return _parametrized(subjects, checks, checked(known or {}, CHECKS))


def parametrize_with_pattern_checks(
    patterns: Sequence[str | Mapping[str, Any] | Pattern],
    *,
    annotations: PatternLayers | None = None,
    lengths: Sequence[int] | None = None,
    known: Mapping[str, str] | None = None,
    checks: Sequence[PatternCheck] = PATTERN_CHECKS,
) -> Callable[[Callable[..., Any]], Any]:
    """As :func:`parametrize_with_checks`, for patterns.

    Args:
        patterns: by name, expression, spec or as they are.
        layers, lengths, known, checks: as for :func:`maskplug.testing.check_pattern`.

    Raises:
        MaskplugError: when a pattern cannot be made, or an exception names no check.

    Example::

        from maskplug.testing import parametrize_with_pattern_checks

        @parametrize_with_pattern_checks(["staircase", "staircase:height=3 & document"])
        def test_keeps_the_promises(subject, check):
            check(subject)
    """
    subjects = [PatternSubject.of(made, annotations, lengths) for made in patterns]
    return _parametrized(subjects, checks, checked(known or {}, PATTERN_CHECKS))


def _parametrized(
    subjects: Sequence[Subject] | Sequence[PatternSubject],
    checks: Sequence[Callable[[Any], None]],
    known: Mapping[str, str],
) -> Callable[[Callable[..., Any]], Any]:
    import pytest

    cases = []
    for subject in subjects:
        exceptions = {**declared(subject), **known}
        for check in checks:
            name = check.__name__
            marks = [pytest.mark.xfail(reason=exceptions[name])] if name in exceptions else []
            who = subject.strategy.label if isinstance(subject, Subject) else subject.label
            label = f"{who}-{name.removeprefix('check_')}"
            cases.append(pytest.param(subject, _skipping(check), id=label, marks=marks))
    return pytest.mark.parametrize(("subject", "check"), cases)


def _skipping(check: Callable[[Any], None]) -> Callable[[Any], None]:
    """The check, skipped where it does not apply."""

    @wraps(check)
    def run(subject: Any) -> None:
        import pytest

        try:
            check(subject)
        except NotApplicable as error:
            pytest.skip(str(error))

    return run
