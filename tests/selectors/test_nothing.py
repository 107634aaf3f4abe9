"""Tests of the selector ``nothing``."""

from __future__ import annotations

import pytest

import maskplug
from maskplug.errors import TokenError
from maskplug.selectors import Nothing
from support.batches import VOCAB, batch


def test_nothing_is_selected_and_ids_are_checked() -> None:
    tokens = batch([[5, 6], []])
    selection = Nothing().select(tokens, VOCAB, maskplug.Rng.at(1, 0, tokens.keys))
    assert selection.counts.tolist() == [0, 0]
    with pytest.raises(TokenError, match=r"60 \(sample 1, position 0\)"):
        Nothing().select(batch([[5], [60]]), VOCAB, maskplug.Rng.at(1, 0, [1, 2]))
