"""Tests of noise for one side of a text pair."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskplug
from maskplug.errors import OptionError
from support.batches import MASK, SPECIAL, batch, equal_rows, likely, ragged, seeds
from support.cases import RICH
from support.denoising import DICTIONARY, units_of

NAMES: dict[str, dict[str, Any]] = {
    "word_dropout": {},
    "switchout": {},
    "shuffle": {},
    "code_switch": {"dictionary": str(DICTIONARY)},
    "cmlm": {},
}


@pytest.mark.parametrize("name", NAMES)
@given(rows=ragged(), seed=seeds)
def test_special_tokens_stay_and_only_masks_are_written(
    name: str, rows: list[list[int]], seed: int
) -> None:
    masked = maskplug.strategy(name, **NAMES[name])(batch(rows), RICH, seed=seed)
    masks = name in ("word_dropout", "cmlm")
    for row, new in zip(rows, masked.inputs.to_lists(), strict=True):
        before, after = ([t for t in r if RICH.special[t] and t != MASK] for r in (row, new))
        assert before == after
        assert masks or new.count(MASK) == row.count(MASK)


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


def test_bad_word_dropout_option() -> None:
    with pytest.raises(OptionError, match="'how' is 'zero'; it must be one of 'mask', 'delete'"):
        maskplug.strategy("word_dropout", how="zero")


def test_switchout_labels_changed_tokens() -> None:
    tokens = equal_rows(2_000, 12)
    masked = maskplug.strategy("switchout", tau=0.5)(tokens, RICH)
    changed = masked.inputs.values != tokens.ids
    assert (changed == (masked.labels.values >= 0)).all()
    assert (masked.labels.values[changed] == tokens.ids[changed]).all()
    assert changed.any()


def test_shuffle_keeps_words_and_the_end() -> None:
    rows = [[2, 10, 11, 12, 13, 14, 15, 16, 3]] * 300
    masked = maskplug.strategy("shuffle")(batch(rows), RICH)
    assert masked.targets.to_lists() == rows
    assert not masked.selection.mask.any()
    seen = Counter(map(tuple, masked.inputs.to_lists()))
    assert len(seen) > 5
    for row in seen:
        assert (row[0], row[-1]) == (2, 3)
        assert all(row.index(a) + 1 == row.index(a + 1) for a in (10, 12, 14))


def test_code_switching_at_rates_zero_and_one() -> None:
    row = [2, 6, 7, 12, 8, 10, 11, 3]
    options = NAMES["code_switch"]
    everything = maskplug.strategy("code_switch", rate=1.0, **options)(batch([row] * 50), RICH)
    assert set(map(tuple, everything.inputs.to_lists())) == {
        (2, 20, 21, 22, 12, 12, 40, 41, 3),
        (2, 30, 12, 12, 40, 41, 3),
    }
    assert everything.targets.to_lists() == [row] * 50
    nothing = maskplug.strategy("code_switch", rate=0.0, **options)(batch([row]), RICH)
    assert nothing.inputs.to_lists() == [row]


def test_code_switching_at_a_rate() -> None:
    row = [8] * 20  # twenty words of one token, which all are in the dictionary
    options = {**NAMES["code_switch"], "rate": 0.3}
    masked = maskplug.strategy("code_switch", **options)(batch([row] * 1_000), RICH)
    assert likely((masked.inputs.values == 12).sum(), 20_000, 0.3)


def test_fingerprint_depends_on_the_dictionary_not_its_path(tmp_path: Any) -> None:
    def after(text: str, name: str) -> str:
        path = tmp_path / name
        path.write_text(text)
        return maskplug.strategy("code_switch", dictionary=str(path)).fingerprint

    assert after("8\t12\n", "a") == after("8\t12\n", "b") != after("8\t14\n", "c")


@given(rows=ragged(), seed=seeds)
def test_cmlm_writes_masks_only(rows: list[list[int]], seed: int) -> None:
    tokens = batch(rows)
    masked = maskplug.strategy("cmlm")(tokens, RICH, seed=seed)
    hit = masked.selection.mask
    assert (masked.inputs.values[hit] == MASK).all()
    assert (masked.inputs.values[~hit] == tokens.ids[~hit]).all()
    assert (masked.labels.values[hit] == tokens.ids[hit]).all()
    assert (masked.labels.values[~hit] == -100).all()
    anything = [any(token not in SPECIAL for token in row) for row in rows]
    assert (masked.selection.counts > 0).tolist() == anything
