"""What is done to the options of a strategy or pattern, and what it must say to that."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from maskplug.errors import MaskplugError, OptionError, PluginError
from maskplug.registry import Entry
from maskplug.spec import to_json
from maskplug.testing.subject import NotApplicable

#: Makes what is checked from some options.
Make = Callable[[dict[str, Any]], Any]


def raised(what: str, wanted: type[MaskplugError], act: Callable[[], Any]) -> str:
    """The message of the error that ``act`` raises, which is to be of that class."""
    try:
        act()
    except wanted as error:
        return str(error)
    except Exception as error:
        raise AssertionError(
            f"{what} raises {type(error).__name__}: {error}\nIt should raise {wanted.__name__} and "
            "say what to do about it."
        ) from error
    raise AssertionError(f"{what} is accepted; it should raise {wanted.__name__}")


def unknown_option(entry: Entry, make: Make) -> None:
    """Give an option that does not exist.

    Args:
        entry: what is checked.
        make: makes it with one more option than it has.

    Raises:
        AssertionError: when that is accepted, or the message helps nobody.
    """
    known = list(inspect.signature(entry.factory).parameters)
    wrong = next((name + "s" for name in known if name + "s" not in known), "no_such_option")
    message = raised(f"the option {wrong!r}", OptionError, lambda: make({wrong: 1}))
    assert repr(wrong) in message, f"the message does not name the option {wrong!r}: {message}"
    if wrong[:-1] in known:
        assert "did you mean" in message, f"the message suggests no other option: {message}"


def wrong_option(entry: Entry, make: Make) -> None:
    """Give every option a value of the wrong type.

    Args:
        entry: what is checked.
        make: makes it with one option changed.

    Raises:
        AssertionError: when one is accepted, or the message does not name it.
        NotApplicable: when there are no options.
    """
    names = list(inspect.signature(entry.factory).parameters)
    if not names:
        raise NotApplicable(f"the {entry.kind} has no options")
    for name in names:
        message = raised(
            f"the option {name!r} of type bytes (annotate it, and it is checked before the factory "
            "is called)",
            OptionError,
            lambda name=name: make({name: b"?"}),  # type: ignore[misc]
        )
        assert repr(name) in message, f"the message does not name the option {name!r}: {message}"


def spec_text(part: Any) -> str:
    """The spec of a strategy or pattern as JSON; a failed check where it has none."""
    try:
        spec = part.spec
    except PluginError as error:
        raise AssertionError(f"no spec can be made: {error}") from error
    try:
        return to_json(spec)
    except (TypeError, ValueError) as error:
        raise AssertionError(
            f"the spec is not plain JSON ({error}): {spec!r}. Options are numbers, text, lists, "
            "parts and files; annotate them, so that they are checked and written as such"
        ) from error
