"""Tests of ``bart``, ``mbart`` and ``deshuffle``."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskplug
from maskplug import Masked
from maskplug.errors import OptionError, VocabularyError
from support.batches import EOS, MASK, batch, ragged, seeds
from support.cases import RICH

LANGUAGE = 67
#: Sentences of six tokens in words of one or two, ending in 7.
SENTENCES = [[10 + 2 * n, 11 + 2 * n, 30 + 2 * n, 50, 51, 7] for n in range(6)]
TEXT = [2, *[token for sentence in SENTENCES for token in sentence], EOS]
#: Options that together run every stage with every noise.
OPTIONS = [
    {},
    {"noise": "masking", "random": 0.1},
    {"noise": "deletion", "insert": 0.2, "random": 0.5},
    {"insert": 0.3, "rotate": 0.5, "unit": "token"},
    {"permute": 0.5, "rate": 0.0, "rotate": 1.0},
    {"permute": 0.0, "rate": 1.0},
]


def mask(name: str, rows: list[list[int]], seed: int = 1, **options: Any) -> Masked:
    return maskplug.strategy(name, **options)(batch(rows), RICH, seed=seed, epoch=1)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@given(rows=ragged(), seed=seeds)
def test_any_noise_keeps_the_original_special_tokens_and_sources(
    options: dict[str, Any], rows: list[list[int]], seed: int
) -> None:
    tokens = batch(rows)
    strategy = maskplug.strategy("bart", **options)
    masked = strategy(tokens, RICH, seed=seed)
    inputs = masked.inputs
    assert masked.targets.to_lists() == rows
    most, longest_targets = strategy.bounds(tokens.lengths)
    assert (inputs.lengths <= most).all()
    assert (tokens.lengths <= longest_targets).all()
    for row, new in zip(rows, inputs.to_lists(), strict=True):
        is_fixed = [RICH.special[token] and token != MASK for token in row]
        fixed = [token for token, stays in zip(row, is_fixed, strict=True) if stays]
        assert [token for token in new if RICH.special[token] and token != MASK] == fixed
        assert not row or not is_fixed[0] or new[0] == row[0]
        assert not row or not is_fixed[-1] or new[-1] == row[-1]
    seen = inputs.sources[inputs.sources >= 0]
    assert len(set(seen.tolist())) == len(seen)
    if options.get("noise") != "masking":  # what is chosen is what is missing
        kept = (inputs.sources >= 0) & (inputs.values != MASK)
        assert (inputs.values[kept] == tokens.ids[inputs.sources[kept]]).all()
        assert (masked.selection.mask == ~np.isin(np.arange(len(tokens.ids)), seen)).all()


def test_reordering_selects_nothing() -> None:
    masked = mask("bart", [TEXT], rate=0.0, rotate=1.0)
    assert not masked.selection.mask.any()
    assert Counter(masked.inputs.values.tolist()) == Counter(TEXT)
    assert masked.inputs.values.tolist() != TEXT


def test_share_zero_removes_a_stage() -> None:
    def stages(**options: float) -> int:
        strategy: Any = maskplug.strategy("bart", **options)
        return len(strategy.strategies)

    assert stages() == 2
    assert stages(permute=0.0) == 1
    assert stages(insert=0.1, rotate=0.1) == 4
    assert stages(rate=0.0, permute=0.0, rotate=0.5) == 1


def test_missing_sentence_or_word_starts() -> None:
    vocab = maskplug.Vocabulary(size=60, mask_id=MASK)
    tokens = batch([[10, 11, 12, 13]])
    with pytest.raises(VocabularyError, match="sentence_starts"):
        maskplug.strategy("bart")(tokens, vocab)
    masked = maskplug.strategy("bart", permute=0.0, unit="token")(tokens, vocab)
    assert MASK in masked.inputs.values


def test_sentences_from_annotation() -> None:
    starts = [[0, 1, 0, 1, 1, 0]] * 200
    tokens = batch([[2, 10, 11, 12, 14, 3]] * 200, sentence_starts=starts)
    seen = set(map(tuple, maskplug.strategy("bart", rate=0.0)(tokens, RICH).inputs.to_lists()))
    assert len(seen) == 6
    assert (2, 14, 12, 10, 11, 3) in seen


def test_no_noise_raises() -> None:
    with pytest.raises(OptionError, match="are all 0: there is no noise"):
        maskplug.strategy("bart", rate=0, permute=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": 1.5}, "'rate' is 1.5"),
        ({"mean_length": 0}, "'mean_length' is 0.0"),
        ({"noise": "blanking"}, "'noise' is 'blanking'; it must be one of 'infilling', 'masking'"),
        ({"permute": 2}, "'permute' is 2.0"),
        ({"insert": -1}, "'insert' is -1.0"),
        ({"random": 7}, "'random' is 7.0"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        maskplug.strategy("bart", **options)


def test_mbart_keeps_language_tokens_in_place() -> None:
    row = [*TEXT[1:], LANGUAGE]
    masked = mask("mbart", [row] * 300)
    assert {tuple(new[-2:]) for new in masked.inputs.to_lists()} == {(EOS, LANGUAGE)}
    assert masked.targets.to_lists() == [row] * 300
    hidden = masked.selection.mask.reshape(300, -1)[:, :36]
    words = hidden.reshape(300, 6, 6)[..., [0, 2, 3]].sum(axis=(1, 2))  # 10 11 | 30 | 50 51 7
    assert set(words.tolist()) == {6, 7}  # 35 % of 18


@pytest.mark.parametrize("unit", ["token", "word", "sentence"])
@given(rows=ragged(), seed=seeds, epoch=st.integers(0, 3))
def test_deshuffling(unit: str, rows: list[list[int]], seed: int, epoch: int) -> None:
    masked = maskplug.strategy("deshuffle", unit=unit)(batch(rows), RICH, seed=seed, epoch=epoch)
    assert masked.targets.to_lists() == rows
    assert list(map(sorted, masked.inputs.to_lists())) == list(map(sorted, rows))
    assert not masked.selection.mask.any()
