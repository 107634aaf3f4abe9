"""Tests of noise for one side of a text pair."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import maskplug
from support.batches import batch, equal_rows, ragged, seeds
from support.cases import RICH
from support.denoising import DICTIONARY, units_of


@given(rows=ragged(), seed=seeds, rate=st.floats(0, 1))
def test_word_dropout_by_deletion(rows: list[list[int]], seed: int, rate: float) -> None:
    dropout = maskplug.strategy("word_dropout", rate=rate, how="delete")
    masked = dropout(batch(rows), RICH, seed=seed)
    hidden = maskplug.strategy("word_dropout", rate=rate)(batch(rows), RICH, seed=seed)
    assert masked.targets.to_lists() == rows
    assert (masked.selection.mask == hidden.selection.mask).all()
    gone = np.split(masked.selection.mask, np.cumsum([len(row) for row in rows])[:-1])
    for row, out, new in zip(rows, gone, masked.inputs.to_lists(), strict=False):
        assert new == [token for token, hit in zip(row, out, strict=True) if not hit]
        words = units_of(row, "word")
        assert not words or any(not out[word[0]] for word in words)


def test_switchout_labels_changed_tokens() -> None:
    tokens = equal_rows(2_000, 12)
    masked = maskplug.strategy("switchout", tau=0.5)(tokens, RICH)
    changed = masked.inputs.values != tokens.ids
    assert (changed == (masked.labels.values >= 0)).all()
    assert (masked.labels.values[changed] == tokens.ids[changed]).all()
    assert changed.any()


def test_code_switching_at_rates_zero_and_one() -> None:
    row = [2, 6, 7, 12, 8, 10, 11, 3]
    options = {"dictionary": str(DICTIONARY)}
    everything = maskplug.strategy("code_switch", rate=1.0, **options)(batch([row] * 50), RICH)
    assert set(map(tuple, everything.inputs.to_lists())) == {
        (2, 20, 21, 22, 12, 12, 40, 41, 3),
        (2, 30, 12, 12, 40, 41, 3),
    }
    assert everything.targets.to_lists() == [row] * 50
    nothing = maskplug.strategy("code_switch", rate=0.0, **options)(batch([row]), RICH)
    assert nothing.inputs.to_lists() == [row]


def test_fingerprint_depends_on_the_dictionary_not_its_path(tmp_path: Any) -> None:
    def after(text: str, name: str) -> str:
        path = tmp_path / name
        path.write_text(text)
        return maskplug.strategy("code_switch", dictionary=str(path)).fingerprint

    assert after("8\t12\n", "a") == after("8\t12\n", "b") != after("8\t14\n", "c")
