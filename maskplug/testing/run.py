"""Runs checks, and tells what became of them."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from maskplug.attention import Pattern
from maskplug.errors import PluginError
from maskplug.strategy import Strategy
from maskplug.testing.checks import CHECKS, Check
from maskplug.testing.checks.patterns import PATTERN_CHECKS, PatternCheck
from maskplug.testing.known import checked, declared
from maskplug.testing.pattern_layers import PatternLayers
from maskplug.testing.pattern_subject import PatternSubject
from maskplug.testing.subject import Layers, NotApplicable, Subject
from maskplug.vocabulary import Vocabulary

Checked = TypeVar("Checked", Subject, PatternSubject)
Outcome = Literal["passed", "failed", "known", "declared but passes", "not applicable"]


@dataclass(frozen=True)
class Result:
    """What became of one check.

    Attributes:
        check: its name.
        outcome: "known" is a failure that was declared; "declared but passes" one that was
            declared and does not happen.
        message: why it failed, does not apply, or was declared; empty when it passed.
        seconds: how long it took.
    """

    check: str
    outcome: Outcome
    message: str
    seconds: float


@dataclass(frozen=True)
class Report:
    """What became of all checks of one strategy or pattern.

    Attributes:
        label: its name, or its expression.
        results: one for each check, in their order.
    """

    label: str
    results: tuple[Result, ...]

    def having(self, *outcomes: Outcome) -> tuple[Result, ...]:
        """The results with one of these outcomes."""
        return tuple(result for result in self.results if result.outcome in outcomes)

    @property
    def ok(self) -> bool:
        """Whether nothing failed but what was declared."""
        return not self.having("failed")

    @property
    def summary(self) -> str:
        """The counts: ``40 passed, 6 not applicable``."""
        counts = Counter(result.outcome for result in self.results)
        return ", ".join(f"{count} {outcome}" for outcome, count in counts.items())

    def __str__(self) -> str:
        lines = [f"{self.label}: {self.summary}"]
        told = self.having("failed", "known", "declared but passes")
        lines += [f"{result.check} {result.outcome}: {result.message}" for result in told]
        return "\n".join(lines)


def run_check(
    check: Callable[[Checked], None], subject: Checked, known: Mapping[str, str]
) -> Result:
    """Run one check; whatever it raises becomes a result.

    Raises:
        PluginError: under ``python -O``.
    """
    if not __debug__:
        raise PluginError("checks are assertions, and python -O leaves those out; run without -O")
    begun = time.perf_counter()
    reason = known.get(check.__name__)
    outcome: Outcome = "passed" if reason is None else "declared but passes"
    message = reason or ""
    try:
        check(subject)
    except NotApplicable as error:
        outcome, message = "not applicable", str(error)
    except Exception as error:
        if reason is None:
            outcome, message = "failed", explained(error)
        else:
            outcome = "known"
    return Result(check.__name__, outcome, message, time.perf_counter() - begun)


def explained(error: Exception) -> str:
    """A failed check's own message; for an error that it did not foresee, where that was raised."""
    if isinstance(error, AssertionError) and error.args:
        return str(error)
    place = traceback.extract_tb((error.__cause__ or error).__traceback__)[-1]
    return f"{type(error).__name__}: {error}\n(raised in {place.filename}, line {place.lineno})"


def check(
    strategy: str | Mapping[str, Any] | Strategy,
    *,
    options: Mapping[str, Any] | None = None,
    vocab: Vocabulary | None = None,
    annotations: Layers | None = None,
    known: Mapping[str, str] | None = None,
    seed: int = 0,
    checks: Sequence[Check] = CHECKS,
) -> Report:
    """Run the checks on a strategy.

    Args:
        strategy: by name, spec or as it is.
        options: its options, when it is given by name.
        vocab: the vocabulary to mask with; by default one that has everything.
        layers: makes the layers that the strategy reads, by name, from a batch; without it they
            hold small integers.
        known: exceptions, check by check, each with its reason, beside those that the strategy
            declares itself.
        seed: decides rows and draws; what fails under one seed fails whenever that is given.
        checks: which of them, in which order.

    Raises:
        MaskplugError: when the strategy cannot be made, or an exception names no check.

    Example:
        >>> from maskplug.testing.checks.api import check_repr, check_pickle
        >>> print(check("dynamic", checks=[check_repr, check_pickle]))
        dynamic@1: 2 passed
    """
    subject = Subject.of(strategy, vocab, annotations, seed, options)
    exceptions = {**declared(subject), **checked(known or {}, CHECKS)}
    results = tuple(run_check(one, subject, exceptions) for one in checks)
    return Report(subject.label, results)


def check_pattern(
    pattern: str | Mapping[str, Any] | Pattern,
    *,
    options: Mapping[str, Any] | None = None,
    annotations: PatternLayers | None = None,
    lengths: Sequence[int] | None = None,
    known: Mapping[str, str] | None = None,
    seed: int = 0,
    checks: Sequence[PatternCheck] = PATTERN_CHECKS,
) -> Report:
    """Run the checks on a pattern.

    Args:
        pattern: by name, expression, spec or as it is.
        options: its options, when it is given by a single name.
        layers: makes the layers that the pattern reads, by name, for one sample (its number, keys,
            queries and place): a value for each key, or in cross attention for each query; one
            number; or a list of pairs. Without it they hold small integers, or what suits those
            that patterns of the library read.
        lengths: how many keys the samples have, for a pattern that does not take any number.
        known: exceptions, check by check, each with its reason, beside those that the pattern
            declares itself.
        seed: decides the draws.
        checks: which of them, in which order.

    Raises:
        MaskplugError: when the pattern cannot be made, or an exception names no check.

    Example:
        >>> from maskplug.testing.checks.pattern_value import check_pickle
        >>> print(check_pattern("window:left=4 & document", checks=[check_pickle]))
        window:left=4,right=0 & document: 1 passed
    """
    subject = PatternSubject.of(pattern, annotations, lengths, seed, options)
    exceptions = {**declared(subject), **checked(known or {}, PATTERN_CHECKS)}
    results = tuple(run_check(one, subject, exceptions) for one in checks)
    return Report(subject.label, results)
