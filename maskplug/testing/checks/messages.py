"""Errors say what was wrong, where, and what to do."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from maskplug.errors import MaskplugError, OptionError, TokenError, VocabularyError
from maskplug.registry import Entry
from maskplug.strategy import strategy
from maskplug.testing.subject import NotApplicable, Subject, with_ids


def _raised(what: str, wanted: type[MaskplugError], act: Callable[[], Any]) -> str:
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


def _entry(subject: Subject) -> Entry:
    if not subject.strategy.label:
        raise NotApplicable("the strategy has no name, so nobody gives it options")
    assert subject.entry is not None, (
        f"nothing is registered under {subject.strategy.label!r}: its options cannot be checked. "
        "Register the factory in maskplug_register"
    )
    return subject.entry


def check_unknown_option(subject: Subject) -> None:
    """An option that does not exist is rejected by name, with the nearest one that does."""
    entry, options = _entry(subject), subject.strategy.spec["options"]
    known = list(inspect.signature(entry.factory).parameters)
    wrong = next((name + "s" for name in known if name + "s" not in known), "no_such_option")
    message = _raised(
        f"the option {wrong!r}",
        OptionError,
        lambda: strategy(entry.pinned, **options, **{wrong: 1}),
    )
    assert repr(wrong) in message, f"the message does not name the option {wrong!r}: {message}"
    if wrong[:-1] in known:
        assert "did you mean" in message, f"the message suggests no other option: {message}"


def check_wrong_option(subject: Subject) -> None:
    """A value of the wrong type is rejected by the option's name."""
    entry, options = _entry(subject), subject.strategy.spec["options"]
    names = list(inspect.signature(entry.factory).parameters)
    if not names:
        raise NotApplicable("the strategy has no options")
    for name in names:
        given = {**options, name: b"?"}
        message = _raised(
            f"the option {name!r} of type bytes (annotate it, and it is checked before the factory "
            "is called)",
            OptionError,
            lambda given=given: strategy(entry.pinned, **given),  # type: ignore[misc]
        )
        assert repr(name) in message, f"the message does not name the option {name!r}: {message}"


def check_id_outside_vocabulary(subject: Subject) -> None:
    """An id that does not exist is named, with the sample and the position where it stands."""
    row, position = 5, 3
    place = int(subject.batch.offsets[row]) + position
    for bad in (subject.vocab.size, -1):
        ids = subject.batch.ids.copy()
        ids[place] = bad
        message = _raised(
            f"the id {bad} in a vocabulary of {subject.vocab.size}",
            TokenError,
            lambda ids=ids: subject.mask(with_ids(subject.batch, ids)),  # type: ignore[misc]
        )
        for wanted in (f"id {bad}", f"sample {row}", f"position {position}"):
            assert re.search(rf"{wanted}\b", message), (
                f"the message does not say {wanted!r}: {message}\nvocab.maskable(tokens) and "
                "units(tokens, vocab) raise one that does; call them on the batch as it came"
            )


def check_missing_mask(subject: Subject) -> None:
    """Without a mask token, a strategy that writes one says what can be done."""
    vocab, batch = subject.vocab, subject.batch
    mask = vocab.mask_id
    written = np.concatenate([masked.inputs.values for masked in subject.samples])
    if mask is None or mask not in written:
        raise NotApplicable("no mask token is written")
    bare = Subject(subject.strategy, replace(vocab, mask_id=None), subject.layers, subject.seed)
    message = _raised(
        "a vocabulary without a mask token", VocabularyError, lambda: bare.mask(batch)
    )
    assert "mask_id" in message, (
        f"the message names no way out: {message}\nvocab.require_mask(who) raises one that does"
    )
