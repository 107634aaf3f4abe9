"""Rows that break careless strategies: none, empty ones, short ones, nothing but specials."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maskplug.targets import IGNORE
from maskplug.targets.labels import in_place
from maskplug.testing.checks.validity import ALWAYS, where
from maskplug.testing.outcome import assert_same, by_row
from maskplug.testing.subject import NotApplicable, Subject
from maskplug.tokens import Masked, TokenBatch


def _sound(subject: Subject, rows: Sequence[Sequence[int]], what: str) -> tuple[TokenBatch, Masked]:
    """Mask these rows between usual ones; what comes out must be sound, and the same alone."""
    usual = subject.rows()[:2]
    tokens = subject.of_rows([usual[0], *rows, usual[1]])
    try:
        masked = subject.mask(tokens)
        own = np.arange(1, 1 + len(rows))
        alone = tokens.take(own)
        masked_alone = subject.mask(alone)
    except Exception as error:
        raise AssertionError(
            f"{what} are masked with an error ({type(error).__name__}: {error}); corpora have such "
            "rows, and they are to be left as they are"
        ) from error
    for law in ALWAYS:
        law(subject, tokens, masked)
    together = by_row(tokens, masked)
    assert_same(
        by_row(alone, masked_alone),
        [together[i] for i in own],
        f"{what} are masked otherwise among themselves",
        "What is drawn for a sample must not depend on its neighbours in the batch.",
        own.tolist(),
    )
    return alone, masked_alone


def check_no_samples(subject: Subject) -> None:
    """A batch without samples gives a result without rows."""
    tokens = subject.batch.take(np.zeros(0, np.int64))
    try:
        masked = subject.mask(tokens)
    except Exception as error:
        raise AssertionError(
            f"a batch without samples is masked with an error ({type(error).__name__}: {error}); "
            "a filter upstream can leave none"
        ) from error
    for law in ALWAYS:
        law(subject, tokens, masked)


def check_empty_rows(subject: Subject) -> None:
    """Empty rows choose no token."""
    _sound(subject, [[], [], []], "empty rows")


def check_one_token_rows(subject: Subject) -> None:
    """Rows of one token that may be masked, with specials around it and without."""
    one = int(subject.vocab.ordinary[0])
    _sound(subject, [[one], subject.between([one]), [one]], "rows of one token")


def check_rows_of_specials(subject: Subject) -> None:
    """Rows in which nothing may be masked: nothing is chosen, and all of it stays."""
    vocab = subject.vocab
    specials = [int(i) for i in np.flatnonzero(vocab.special)[:3]]
    if not specials:
        raise NotApplicable("the vocabulary has no special tokens")
    rows = [specials, subject.between([]), specials[:1] * 5]
    _sound(subject, rows, "rows of special tokens alone")


def check_rows_with_masks(subject: Subject) -> None:
    """Mask tokens that are in a row already stay, and are neither chosen nor predicted."""
    mask, usual = subject.vocab.mask_id, subject.vocab.ordinary
    if mask is None:
        raise NotApplicable("the vocabulary has no mask")
    row = np.resize(usual, 24)
    row[::3] = mask
    tokens, masked = _sound(
        subject, [row.tolist(), [mask], [mask, int(usual[0])]], "rows that hold mask tokens"
    )
    if masked.labels is None or not in_place(masked.inputs, tokens):
        return
    predicted = (tokens.ids == mask) & (masked.labels.values != IGNORE)
    assert not predicted.any(), (
        f"a mask token of the original is to be predicted ({where(tokens, predicted)}): what was "
        "masked is what the selection says, not what looks like a mask in the inputs"
    )
