"""Every error and warning that maskplug raises, under one base class.

The message is the documentation: it names the culprit, the value received and the choices.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MaskplugError(Exception):
    """Base class of every error that maskplug raises on purpose."""


class OptionError(MaskplugError, ValueError):
    """An option is unknown, of the wrong type, or outside its range."""


class UnknownNameError(MaskplugError, LookupError):
    """No strategy or part has this name (or this version of it)."""


class ConflictError(MaskplugError):
    """Two distributions provide the same name, and the caller did not say which one."""


class PluginError(MaskplugError):
    """A plugin could not be loaded, or offers something impossible."""


class VocabularyError(MaskplugError, ValueError):
    """The vocabulary cannot serve the strategy, or contradicts itself."""


class TokenError(MaskplugError, ValueError):
    """Rows, layers, labels or keys that do not fit together."""


class ResultError(TokenError):
    """What a part returned is of the wrong type, or does not fit the batch."""


class StrategyError(MaskplugError, RuntimeError):
    """A strategy raised while it was masking; the message says how to reproduce it."""


class SpecMismatchError(MaskplugError, ValueError):
    """A checkpoint was made under another masking spec than the one now in use."""


class MaskplugWarning(UserWarning):
    """Something works, but less well than maskplug promises."""


#: What no plugin's failure is made of: the user's interrupt, and the end of a generator.
PASSED_ON = (KeyboardInterrupt, GeneratorExit)


def described(error: BaseException) -> str:
    """The class and the message of an exception, on one line, whatever the exception is.

    Example:
        >>> described(KeyError("nine")), described(SystemExit())
        ("KeyError: 'nine'", 'SystemExit')
    """
    try:
        message = " ".join(str(error).split())
    except Exception:  # a message that cannot be made is no reason to fail
        message = ""
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def did_you_mean(wrong: str, choices: Iterable[str]) -> str:
    """The words to put behind an unknown name: the nearest choice, then all of them.

    Returns:
        A phrase such as ``"; did you mean 'span'? Choices: none, span"``.

    Example:
        >>> did_you_mean("spam", ["none", "span"])
        "; did you mean 'span'? Choices: none, span"
    """
    names = sorted(choices)
    near = difflib.get_close_matches(wrong, names, n=1, cutoff=0.6)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    return f"{hint} Choices: {', '.join(names) or '(none)'}"
