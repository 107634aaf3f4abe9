"""Tests of the replacement ``mix``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug import Rng, Selection, Vocabulary, units
from maskplug.errors import OptionError, VocabularyError
from maskplug.replacements import Mix
from support.batches import MASK, ORDINARY, VOCAB, equal_rows, likely

SAMPLES = 2_000
#: Words 5, 6 7, 8 9, …, 24 25: one word of one token, ten words of two.
LENGTH = 21
TOKENS = equal_rows(SAMPLES, LENGTH)
RNG = Rng.at(3, 0, TOKENS.keys)
SAME = 1 / len(ORDINARY)


def spans_of(size: int) -> Selection:
    """Return the ten words of two tokens of each row in spans of ``size`` words."""
    starts = np.arange(1, LENGTH, 2 * size)
    flat = (np.arange(SAMPLES)[:, None] * LENGTH + starts).ravel()
    offsets = np.arange(SAMPLES + 1) * len(starts)
    return Selection(flat, np.full_like(flat, 2 * size), offsets, SAMPLES * LENGTH)


def written(mix: Mix, selection: Selection) -> Any:
    """Return the ids in the ten words of each row: (samples, 20)."""
    out = mix.replace(TOKENS, selection, VOCAB, RNG)
    return out.values.reshape(SAMPLES, LENGTH)[:, 1:]


@pytest.mark.parametrize(("unit", "group"), [("token", 1), ("word", 2), ("span", 10)])
def test_one_decision_per_unit(unit: Any, group: int) -> None:
    got = written(Mix(unit=unit), spans_of(5)).reshape(-1, group)
    original = TOKENS.ids.reshape(SAMPLES, LENGTH)[:, 1:].reshape(-1, group)
    masked, kept = got == MASK, got == original
    assert (masked.all(axis=1) == masked.any(axis=1)).all()
    assert likely(masked.all(axis=1).sum(), len(got), 0.8)
    assert likely(kept.all(axis=1).sum(), len(got), 0.1 + 0.1 * SAME**group)
    changed = ~masked.any(axis=1) & ~kept.all(axis=1)
    assert likely(changed.sum(), len(got), 0.1 * (1 - SAME**group))


@pytest.mark.parametrize(("unit", "together"), [("token", 0.64), ("word", 0.64), ("span", 0.8)])
def test_decisions_are_independent(unit: Any, together: float) -> None:
    got = written(Mix(unit=unit), spans_of(5)).reshape(-1, 10) == MASK
    # The first tokens of the first and the second word of a span.
    assert likely((got[:, 0] & got[:, 2]).sum(), len(got), together)


def test_empty_spans_write_nothing() -> None:
    starts = np.array([0, 1, 1])
    selection = Selection(starts, np.array([0, 0, 2]), np.array([0, 3]), 3)
    tokens = maskplug.TokenBatch.from_lists([[5, 6, 7]], keys=[1])
    out = Mix(1.0, 0.0, "span").replace(tokens, selection, VOCAB, Rng.at(1, 0, [1]))
    assert out.to_lists() == [[5, MASK, MASK]]
    assert selection.mask.tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mask": -0.1}, "'mask' is -0.1"),
        ({"random": float("nan")}, "'random' is nan"),
        ({"mask": 0.9, "random": 0.2}, "0.9 and 0.2; together they must not exceed 1"),
    ],
)
def test_bad_shares(options: dict[str, float], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Mix(**options)


def test_shares_may_sum_to_one_up_to_rounding() -> None:
    assert Mix(0.7, 0.3).random == 0.3
    assert Mix(0.9, 0.1).mask == 0.9


def test_mask_token_is_required_if_written() -> None:
    vocab = Vocabulary(size=60)
    tokens = equal_rows(2, 8)
    selection = units(tokens, vocab)
    with pytest.raises(VocabularyError, match=r"'mix' inserts a mask token.*mask_id="):
        Mix().replace(tokens, selection, vocab, Rng.at(1, 0, tokens.keys))
    Mix(0.0, 0.5).replace(tokens, selection, vocab, Rng.at(1, 0, tokens.keys))


def test_no_ordinary_tokens_raise() -> None:
    vocab = Vocabulary(size=3, mask_id=0, special_ids=[1, 2])
    tokens = maskplug.TokenBatch.from_lists([[1, 2]], keys=[1])
    with pytest.raises(VocabularyError, match="all 3 ids are special"):
        maskplug.strategy("dynamic")(tokens, vocab)
