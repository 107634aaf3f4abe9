"""Conformance checks for authors of strategies and patterns, run with pytest."""

from maskplug.testing.checks import CHECKS, PATTERN_CHECKS
from maskplug.testing.known import known_exceptions
from maskplug.testing.pattern_subject import PatternSubject, Sample
from maskplug.testing.runner import (
    Report,
    Result,
    check,
    check_pattern,
    parametrize_with_checks,
    parametrize_with_pattern_checks,
)
from maskplug.testing.subject import NotApplicable, Subject
from maskplug.testing.vocabulary import rich_vocabulary

__all__ = [
    "CHECKS",
    "PATTERN_CHECKS",
    "NotApplicable",
    "PatternSubject",
    "Report",
    "Result",
    "Sample",
    "Subject",
    "check",
    "check_pattern",
    "known_exceptions",
    "parametrize_with_checks",
    "parametrize_with_pattern_checks",
    "rich_vocabulary",
]
