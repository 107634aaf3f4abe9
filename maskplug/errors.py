"""Every error and warning that maskplug raises, under one base class.

The message is the documentation: it names the culprit, the value received and the choices.
"""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable
from typing import Any

from maskplug.validation.synonyms import in_our_terms


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


class _Shown(reprlib.Repr):
    """A ``repr`` that takes bounded time and room, and never fails."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.maxlevel = 4
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdict = 8
        self.maxstring = self.maxother = limit

    def repr_int(self, x: int, level: int) -> str:
        if x.bit_length() < 256:
            return repr(x)
        # Python refuses to write out integers of more than 4,300 digits.
        return f"an integer of about {int(x.bit_length() * 0.30103) + 1:,} digits"

    def repr_instance(self, x: Any, level: int) -> str:
        try:
            text = " ".join(repr(x).split())
        except Exception:  # it is not ours: whatever it raises must not hide the message
            return f"<{type(x).__name__}>"
        return text.encode(errors="backslashreplace").decode()


def shortened(value: Any, limit: int = 80) -> str:
    r"""Return a value as a message shows it: its ``repr`` on one line, cut to ``limit`` characters.

    Works for any value: integers of thousands of digits, nested or endless lists, unpaired
    surrogates, and objects whose own ``repr`` fails.

    Example:
        >>> shortened([0.1, "a\nb"]), shortened(10**400)
        ("[0.1, 'a\\nb']", 'an integer of about 401 digits')
    """
    try:
        text = _Shown(limit).repr(value)
    except Exception:
        text = f"<{type(value).__name__}>"
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


#: Exceptions that never count as a failure of a plugin: they belong to the user and to Python.
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
    """The words to put behind an unknown name: the nearest choices, then all of them.

    A name that papers and other libraries use for one of the choices gets that choice; any other
    name the choice with the nearest spelling.

    Returns:
        A phrase such as ``"; did you mean 'span'? Choices: none, span"``.

    Example:
        >>> did_you_mean("spam", ["none", "span"])
        "; did you mean 'span'? Choices: none, span"
        >>> did_you_mean("wwm", ["whole_word", "span"])
        "; did you mean 'whole_word'? Choices: span, whole_word"
    """
    names = sorted(choices)
    near = in_our_terms(wrong, names)
    near = near or difflib.get_close_matches(wrong, names, n=1, cutoff=0.6)
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else "."
    return f"{hint} Choices: {', '.join(names) or '(none)'}"
