"""Unusual batches: no samples, empty rows, one token, only special tokens, mask tokens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maskplug.errors import described
from maskplug.targets import IGNORE
from maskplug.targets.labels import in_place
from maskplug.testing.checks.validity import RULES, where
from maskplug.testing.outcome import assert_same_rows, by_row
from maskplug.testing.subject import NotApplicable, Subject
from maskplug.tokens import Masked, TokenBatch


def _mask_validly(subject: Subject, tokens: TokenBatch, what: str) -> Masked:
    try:
        masked = subject.mask(tokens)
    except Exception as error:
        raise AssertionError(
            f"masking {what} raises {described(error)}; corpora and filters produce such batches, "
            "and their rows must stay unchanged"
        ) from error
    for rule in RULES:
        rule(subject, tokens, masked)
    return masked


def _mask_rows(
    subject: Subject, rows: Sequence[Sequence[int]], what: str
) -> tuple[TokenBatch, Masked]:
    """Mask these rows between ordinary ones and alone; both results must be valid and equal."""
    ordinary = subject.rows()[:2]
    tokens = subject.batch_of([ordinary[0], *rows, ordinary[1]])
    positions = np.arange(1, 1 + len(rows))
    together = by_row(tokens, _mask_validly(subject, tokens, what))
    alone = tokens.take(positions)
    masked = _mask_validly(subject, alone, what)
    assert_same_rows(
        by_row(alone, masked),
        [together[i] for i in positions],
        f"{what} are masked differently in a batch without other rows",
        "Draws for a sample must not depend on the other samples of the batch.",
        positions.tolist(),
    )
    return alone, masked


def check_no_samples(subject: Subject) -> None:
    """A batch without samples gives a result without rows."""
    empty = subject.batch.take(np.zeros(0, np.int64))
    _mask_validly(subject, empty, "a batch without samples")


def check_empty_rows(subject: Subject) -> None:
    """No token is chosen in empty rows."""
    _mask_rows(subject, [[], [], []], "empty rows")


def check_one_token_rows(subject: Subject) -> None:
    """Rows of one token, with and without special tokens around it, give a valid result."""
    one = int(subject.vocab.ordinary[0])
    _mask_rows(subject, [[one], subject.enclosed([one]), [one]], "rows of one token")


def check_rows_of_specials(subject: Subject) -> None:
    """Rows of special tokens stay unchanged."""
    specials = [int(i) for i in np.flatnonzero(subject.vocab.special)[:3]]
    if not specials:
        raise NotApplicable("the vocabulary has no special tokens")
    rows = [specials, subject.enclosed([]), specials[:1] * 5]
    _mask_rows(subject, rows, "rows of special tokens")


def check_rows_with_masks(subject: Subject) -> None:
    """Mask tokens in the original stay, and are neither chosen nor predicted."""
    mask, ordinary = subject.vocab.mask_id, subject.vocab.ordinary
    if mask is None:
        raise NotApplicable("the vocabulary has no mask token")
    row = np.resize(ordinary, 24)
    row[::3] = mask
    rows = [row.tolist(), [mask], [mask, int(ordinary[0])]]
    tokens, masked = _mask_rows(subject, rows, "rows with mask tokens")
    if masked.labels is None or not in_place(masked.inputs, tokens):
        return
    predicted = (tokens.ids == mask) & (masked.labels.values != IGNORE)
    assert not predicted.any(), (
        f"a mask token of the original has a label ({where(tokens, predicted)}): use the selection "
        "to find masked tokens, not the mask tokens of the inputs"
    )
