"""The checks as tests of pytest, which is imported only here and only when this is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from maskplug.strategy import Strategy
from maskplug.testing.checks import CHECKS, Check
from maskplug.testing.known import checked, declared
from maskplug.testing.subject import Layers, NotApplicable, Subject
from maskplug.vocabulary import Vocabulary


def parametrize_with_checks(
    strategies: Sequence[str | Mapping[str, Any] | Strategy],
    *,
    vocab: Vocabulary | None = None,
    layers: Layers | None = None,
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
    import pytest

    cases = []
    for made in strategies:
        subject = Subject.of(made, vocab, layers)
        exceptions = {**declared(subject), **checked(known or {})}
        for check in checks:
            name = check.__name__
            marks = [pytest.mark.xfail(reason=exceptions[name])] if name in exceptions else []
            label = f"{subject.strategy.label}-{name.removeprefix('check_')}"
            cases.append(pytest.param(subject, _skipping(check), id=label, marks=marks))
    return pytest.mark.parametrize(("subject", "check"), cases)


def _skipping(check: Check) -> Check:
    """The check, skipped where it does not apply."""

    @wraps(check)
    def run(subject: Subject) -> None:
        import pytest

        try:
            check(subject)
        except NotApplicable as error:
            pytest.skip(str(error))

    return run
