"""Tests of the replacement ``switch``."""

from __future__ import annotations

import numpy as np
import pytest

from maskplug import Rng, Vocabulary, units
from maskplug.errors import VocabularyError
from maskplug.replacements import Switch
from support.batches import ORDINARY, SPECIAL, VOCAB, equal_rows, fits


def test_other_tokens_are_uniform() -> None:
    tokens = equal_rows(3_000, 8)
    rng = Rng.at(2, 0, tokens.keys)
    out = Switch().replace(tokens, units(tokens, VOCAB), VOCAB, rng)
    assert (out.values != tokens.ids).all()
    assert not np.isin(out.values, SPECIAL).any()
    steps = (np.searchsorted(ORDINARY, out.values) - np.searchsorted(ORDINARY, tokens.ids)) % 54
    counts = np.bincount(steps, minlength=54)
    assert counts[0] == 0
    assert fits(counts[1:], np.ones(53))


def test_two_ordinary_tokens_are_required() -> None:
    vocab = Vocabulary(size=3, mask_id=0, special_ids=[1])
    tokens = equal_rows(1, 1)
    with pytest.raises(VocabularyError, match="1 of 3 ids are not special"):
        Switch().replace(tokens, units(tokens, VOCAB), vocab, Rng.at(1, 0, tokens.keys))
