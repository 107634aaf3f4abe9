"""A kit that authors of strategies and patterns run on their own: every promise a small check."""

from maskplug.testing.checks import CHECKS
from maskplug.testing.checks.patterns import PATTERN_CHECKS
from maskplug.testing.known import known_exceptions
from maskplug.testing.parametrize import parametrize_with_checks, parametrize_with_pattern_checks
from maskplug.testing.pattern_layers import Sample
from maskplug.testing.pattern_subject import PatternSubject
from maskplug.testing.run import Report, Result, check, check_pattern
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
