"""A kit that authors of strategies run on their own: every promise of maskplug as a small check."""

from maskplug.testing.checks import CHECKS
from maskplug.testing.known import known_exceptions
from maskplug.testing.parametrize import parametrize_with_checks
from maskplug.testing.run import Report, Result, check
from maskplug.testing.subject import NotApplicable, Subject
from maskplug.testing.vocabulary import rich_vocabulary

__all__ = [
    "CHECKS",
    "NotApplicable",
    "Report",
    "Result",
    "Subject",
    "check",
    "known_exceptions",
    "parametrize_with_checks",
    "rich_vocabulary",
]
