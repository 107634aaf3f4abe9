"""Known exceptions: checks that a strategy or pattern rightly fails, each with the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from maskplug.errors import OptionError, did_you_mean
from maskplug.registry import BUILTIN
from maskplug.testing.checks import CHECKS, PATTERN_CHECKS, Check
from maskplug.testing.pattern_subject import PatternSubject
from maskplug.testing.subject import Subject

Factory = TypeVar("Factory", bound=Callable[..., Any])

_UNBIASED = {
    "check_something_is_predicted": "in some rows, mostly short ones, nothing is masked; they have "
    "weight 0, and are needed for an unbiased estimate of the likelihood bound"
}
#: The exceptions of built-in strategies; plugins declare theirs with ``known_exceptions``.
BUILT_IN: Mapping[str, Mapping[str, str]] = {
    "none@1": {"check_something_is_predicted": "the baseline without masking predicts nothing"},
    "word_dropout@1": {
        "check_something_is_predicted": "noise on the source of a pair: a short text may lose no "
        "word, and the target side is predicted in any case"
    },
    "bert@1": {"check_rate": "as in BERT, the budget is rounded, and counts special tokens"},
    "tlm@1": {"check_rate": "at least one token of each language of a row is chosen"},
    "gap_sentences@1": {"check_rate": "as in PEGASUS, the number of sentences is rounded down"},
    "switchout@1": {
        "check_something_is_predicted": "its distribution leaves some samples unchanged (a fifth "
        "of those with ten tokens)"
    },
    "code_switch@1": {"check_rate": "the rate refers to words in the dictionary"},
    "fim@1": {"check_rate": "the rate is the share of rearranged texts; no token is chosen"},
    "llada@1": _UNBIASED,
    "mdlm@1": {
        **_UNBIASED,
        "check_neighbours_are_uncorrelated": "the noise levels of a sample are distributed evenly "
        "over the clock's times (antithetic), so neighbors in time differ more than other times",
    },
    "block_diffusion@1": _UNBIASED,
    "self_evolution@1": {
        "check_rate": "the rate applies to rows without hard tokens; in other rows all hard tokens "
        "are chosen"
    },
}


def known_exceptions(**reasons: str) -> Callable[[Factory], Factory]:
    """Return a decorator that declares checks which a factory's strategy or pattern may fail.

    Args:
        reasons: check name to reason, a sentence for users.

    Raises:
        OptionError: when there is no such check, or a reason is empty.

    Example:
        >>> import maskplug
        >>> @known_exceptions(check_rate="'rate' is the share of the long words only")
        ... def long_words(rate: float = 0.5) -> maskplug.Strategy:
        ...     return maskplug.strategy("whole_word", rate=rate / 3)
        >>> long_words.known_exceptions
        {'check_rate': "'rate' is the share of the long words only"}
    """
    validated(reasons, (*CHECKS, *PATTERN_CHECKS))

    def mark(factory: Factory) -> Factory:
        factory.known_exceptions = dict(reasons)  # type: ignore[attr-defined]
        return factory

    return mark


def validated(reasons: Mapping[str, str], checks: Sequence[Check]) -> Mapping[str, str]:
    """Return the reasons; raise OptionError if one is empty or for a check that does not exist."""
    names = [check.__name__ for check in checks]
    for name, reason in reasons.items():
        if name not in names:
            raise OptionError(f"there is no check {name!r}{did_you_mean(name, names)}")
        if not reason:
            raise OptionError(f"the known exception {name!r} has no reason")
    return reasons


def declared(subject: Subject | PatternSubject) -> Mapping[str, str]:
    """Return the exceptions declared for a strategy or pattern."""
    entry = subject.entry
    if entry is None:
        return {}
    if entry.provider == BUILTIN:
        return BUILT_IN.get(entry.label, {}) if entry.kind == "strategy" else {}
    checks = CHECKS if entry.kind == "strategy" else PATTERN_CHECKS
    return validated(getattr(entry.factory, "known_exceptions", {}), checks)
