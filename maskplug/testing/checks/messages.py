"""Errors say what was wrong, where, and what to do."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from maskplug.errors import TokenError, VocabularyError
from maskplug.registry import Entry
from maskplug.strategy import strategy
from maskplug.testing.options import raised, unknown_option, wrong_option
from maskplug.testing.subject import NotApplicable, Subject, with_ids


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
    unknown_option(entry, lambda more: strategy(entry.pinned, **options, **more))


def check_wrong_option(subject: Subject) -> None:
    """A value of the wrong type is rejected by the option's name."""
    entry, options = _entry(subject), subject.strategy.spec["options"]
    wrong_option(entry, lambda changed: strategy(entry.pinned, **{**options, **changed}))


def check_id_outside_vocabulary(subject: Subject) -> None:
    """An id that does not exist is named, with the sample and the position where it stands."""
    row, position = 5, 3
    place = int(subject.batch.offsets[row]) + position
    for bad in (subject.vocab.size, -1):
        ids = subject.batch.ids.copy()
        ids[place] = bad
        message = raised(
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
    bare = Subject(
        subject.strategy, replace(vocab, mask_id=None), subject.annotations, subject.seed
    )
    message = raised("a vocabulary without a mask token", VocabularyError, lambda: bare.mask(batch))
    assert "mask_id" in message, (
        f"the message names no way out: {message}\nvocab.require_mask(who) raises one that does"
    )
