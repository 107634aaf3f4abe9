"""Exceptions from the checks, each with its reason: declared by a plugin, a caller, or here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from maskplug.errors import OptionError, did_you_mean
from maskplug.registry import BUILTIN
from maskplug.testing.checks import CHECKS
from maskplug.testing.checks.patterns import PATTERN_CHECKS
from maskplug.testing.pattern_subject import PatternSubject
from maskplug.testing.subject import Subject

Factory = TypeVar("Factory", bound=Callable[..., Any])

_UNBIASED = (
    "in some rows, short ones above all, nothing is masked; they weigh 0, and because of them the "
    "bound on the likelihood is without bias"
)
#: The exceptions of the built-in strategies; those of a plugin stand at its factories.
BUILT_IN: Mapping[str, Mapping[str, str]] = {
    "none@1": {
        "check_something_is_predicted": "the baseline without masking: nothing is to be predicted",
    },
    "word_dropout@1": {
        "check_something_is_predicted": "noise on the source of a pair: a short text may lose no "
        "word, and the target side is predicted all the same",
    },
    "bert@1": {
        "check_rate": "as in BERT, the budget is rounded, and counts special tokens",
    },
    "tlm@1": {
        "check_rate": "at least one token of each language of a row is chosen",
    },
    "gap_sentences@1": {
        "check_rate": "as in PEGASUS, the number of sentences is rounded down",
    },
    "switchout@1": {
        "check_something_is_predicted": "its law leaves some samples as they are (a fifth of those "
        "with ten tokens)",
    },
    "code_switch@1": {
        "check_rate": "the rate is that of the words which the dictionary has",
    },
    "fim@1": {
        "check_rate": "the rate is the share of texts that are rearranged; no token is chosen",
    },
    "llada@1": {"check_something_is_predicted": _UNBIASED},
    "mdlm@1": {
        "check_something_is_predicted": _UNBIASED,
        "check_neighbours_are_uncorrelated": "the noise levels of a sample are spread evenly over "
        "the clock's times (antithetic), so that neighbours in time differ more than strangers",
    },
    "block_diffusion@1": {"check_something_is_predicted": _UNBIASED},
    "self_evolution@1": {
        "check_rate": "the rate is for rows in which no token is hard; in others all hard ones "
        "are chosen",
    },
}


def known_exceptions(**reasons: str) -> Callable[[Factory], Factory]:
    """Declare, at the factory of a strategy or pattern, what it fails and why that is right.

    Args:
        reasons: for each check, by name, a sentence for users.

    Raises:
        OptionError: when there is no such check.

    Example:
        >>> import maskplug
        >>> @known_exceptions(check_rate="'rate' is the share of the long words only")
        ... def long_words(rate: float = 0.5) -> maskplug.Strategy:
        ...     return maskplug.strategy("whole_word", rate=rate / 3)
        >>> long_words.known_exceptions
        {'check_rate': "'rate' is the share of the long words only"}
    """
    checked(reasons, (*CHECKS, *PATTERN_CHECKS))

    def mark(factory: Factory) -> Factory:
        factory.known_exceptions = dict(reasons)  # type: ignore[attr-defined]
        return factory

    return mark


def checked(
    reasons: Mapping[str, str], checks: Sequence[Callable[[Any], None]]
) -> Mapping[str, str]:
    """The reasons as they are.

    Args:
        reasons: for each check, by name.
        checks: those that there are.

    Raises:
        OptionError: when one of them is for a check that does not exist, or is empty.
    """
    names = [check.__name__ for check in checks]
    for name, reason in reasons.items():
        if name not in names:
            raise OptionError(f"there is no check {name!r}{did_you_mean(name, names)}")
        if not reason:
            raise OptionError(f"the exception {name!r} is declared without a reason")
    return reasons


def declared(subject: Subject | PatternSubject) -> Mapping[str, str]:
    """The exceptions that come with a strategy or pattern: from its factory, or the table above.

    Raises:
        OptionError: when a factory declares an exception from a check that does not exist.
    """
    entry = subject.entry
    if entry is None:
        return {}
    if entry.provider == BUILTIN:
        return BUILT_IN.get(entry.label, {}) if entry.kind == "strategy" else {}
    checks = CHECKS if entry.kind == "strategy" else PATTERN_CHECKS
    return checked(getattr(entry.factory, "known_exceptions", {}), checks)
