"""Tests of the selector ``by_language``."""

from __future__ import annotations

from maskplug.selectors import ByLanguage
from support.batches import ORDINARY, batch, likely, select

N = 8_000


def test_both_languages_have_the_same_rate() -> None:
    tokens = batch([ORDINARY[:40]] * N, languages=[[0] * 20 + [1] * 20] * N)
    mask = select(ByLanguage(0.4), tokens).mask.reshape(N, 40)
    for side in (slice(0, 20), slice(20, 40)):
        assert likely(mask[:, side].sum(), N * 20, 0.4)
    assert not (mask[:, :20] == mask[:, 20:]).all(axis=1).any()


def test_each_language_has_a_selected_token() -> None:
    rows = [[2, 5, 7, 3, 2, 9, 11, 3]] * 2_000
    tokens = batch(rows, languages=[[0] * 4 + [1] * 4] * 2_000)
    mask = select(ByLanguage(0.01), tokens).mask.reshape(-1, 8)
    assert mask[:, :4].any(axis=1).all()
    assert mask[:, 4:].any(axis=1).all()
    assert likely(mask[:, 1].sum(), 2_000, 0.5)
