"""Every error and warning that maskplug raises, under one base class.

Each message states the problem, the value received and the choices or the remedy.
"""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable
from typing import Any

from maskplug.validation.synonyms import known_synonyms


class MaskplugError(Exception):
    """Base class of every error that maskplug raises on purpose."""


class OptionError(MaskplugError, ValueError):
    """An option is unknown, of the wrong type, or outside its range."""


class UnknownNameError(MaskplugError, LookupError):
    """No strategy or part has this name (or this version of it)."""


class ConflictError(MaskplugError):
    """Two distributions provide the same name, and the call names neither."""


class PluginError(MaskplugError):
    """A plugin could not be loaded, or registers something invalid."""


class VocabularyError(MaskplugError, ValueError):
    """The vocabulary lacks what the strategy needs, or is inconsistent."""


class TokenError(MaskplugError, ValueError):
    """Rows, annotations, labels or keys do not match."""


class ResultError(TokenError):
    """A part returned a value of the wrong type or shape."""


class StrategyError(MaskplugError, RuntimeError):
    """A strategy raised while masking; the message contains a command that reproduces it."""


class SpecMismatchError(MaskplugError, ValueError):
    """A checkpoint was written with another masking spec than the current one."""


class MaskplugWarning(UserWarning):
    """Masking works, but a promise of maskplug is weakened; the message states which."""


class _BoundedRepr(reprlib.Repr):
    """A ``repr`` of bounded time and length that never raises."""

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
        except Exception:  # a failing repr must not hide the message
            return f"<{type(x).__name__}>"
        return text.encode(errors="backslashreplace").decode()


def shortened(value: Any, limit: int = 80) -> str:
    r"""Return the ``repr`` of a value on one line, cut to ``limit`` characters.

    Any value is accepted: integers of thousands of digits, nested or recursive lists, unpaired
    surrogates, and objects whose ``repr`` raises.

    Example:
        >>> shortened([0.1, "a\nb"]), shortened(10**400)
        ("[0.1, 'a\\nb']", 'an integer of about 401 digits')
    """
    try:
        text = _BoundedRepr(limit).repr(value)
    except Exception:
        text = f"<{type(value).__name__}>"
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


#: Exceptions that are never treated as the failure of a plugin.
PASSED_ON = (KeyboardInterrupt, GeneratorExit)


def described(error: BaseException) -> str:
    """Return the class and the message of an exception on one line.

    Example:
        >>> described(KeyError("nine")), described(SystemExit())
        ("KeyError: 'nine'", 'SystemExit')
    """
    try:
        message = " ".join(str(error).split())
    except Exception:  # the message itself may raise
        message = ""
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def did_you_mean(wrong: str, choices: Iterable[str]) -> str:
    """Return a hint for an unknown name: the nearest choices, then all choices.

    Names that papers and other libraries use for a choice suggest that choice; other names suggest
    the choice with the nearest spelling.

    Returns:
        A phrase such as ``"; did you mean 'span'? Choices: none, span"``.

    Example:
        >>> did_you_mean("spam", ["none", "span"])
        "; did you mean 'span'? Choices: none, span"
        >>> did_you_mean("wwm", ["whole_word", "span"])
        "; did you mean 'whole_word'? Choices: span, whole_word"
    """
    names = sorted(choices)
    near = known_synonyms(wrong, names)
    near = near or difflib.get_close_matches(wrong, names, n=1, cutoff=0.6)
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else "."
    return f"{hint} Choices: {', '.join(names) or '(none)'}"
