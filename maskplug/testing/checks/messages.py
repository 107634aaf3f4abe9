"""Errors name the cause, the position and the remedy."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from maskplug.errors import TokenError, VocabularyError
from maskplug.testing.checks.shared import error_of
from maskplug.testing.subject import NotApplicable, Subject, with_ids


def check_id_outside_vocabulary(subject: Subject) -> None:
    """An id outside the vocabulary raises an error with its value, sample and position."""
    row, position = 5, 3
    for bad in (subject.vocab.size, -1):
        ids = subject.batch.ids.copy()
        ids[int(subject.batch.offsets[row]) + position] = bad
        message = error_of(
            f"the id {bad} in a vocabulary of {subject.vocab.size}",
            TokenError,
            lambda ids=ids: subject.mask(with_ids(subject.batch, ids)),  # type: ignore[misc]
        )
        for phrase in (f"id {bad}", f"sample {row}", f"position {position}"):
            assert re.search(rf"{phrase}\b", message), (
                f"the message does not contain {phrase!r}: {message}\nvocab.maskable(tokens) and "
                "units(tokens, vocab) raise one that does; call them on the batch as it came"
            )


def check_missing_mask(subject: Subject) -> None:
    """Without a mask token, a strategy that needs one raises an error with the remedy."""
    mask = subject.vocab.mask_id
    written = np.concatenate([masked.inputs.values for masked in subject.samples])
    if mask is None or mask not in written:
        raise NotApplicable("no mask token is written")
    batch, without_mask = (
        subject.batch,
        replace(subject, vocab=replace(subject.vocab, mask_id=None)),
    )
    message = error_of(
        "a vocabulary without a mask token", VocabularyError, lambda: without_mask.mask(batch)
    )
    assert "mask_id" in message, (
        f"the message does not name mask_id: {message}\nvocab.require_mask(who) raises one that "
        "does"
    )
