"""sentence and section, and the first tokens of sections."""

from __future__ import annotations

from typing import Any

import numpy as np

import maskplug

SENTENCES = [1, 0, 0, 1, 0, 1, 0, 0, 1, 0]
SECTIONS = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0]


def dense(text: str, length: int = 10, **more: Any) -> Any:
    annotations = {
        "sentence_starts": SENTENCES[:length],
        "section_starts": SECTIONS[:length],
        **more,
    }
    return maskplug.pattern(text).dense(length, **annotations)[0, 0]


def runs(*lengths: int) -> Any:
    numbers = np.repeat(np.arange(len(lengths)), lengths)
    return numbers[:, None] == numbers


def test_sentences() -> None:
    assert (dense("sentence") == runs(3, 2, 3, 2)).all()


def test_sections_and_their_first_tokens() -> None:
    assert (dense("section:heads=false") == runs(5, 5)).all()
    heads = np.zeros(10, bool)
    heads[[0, 5]] = True
    assert (dense("section") == (runs(5, 5) | heads)).all()
    assert (dense("sentence:heads=true") == (runs(3, 2, 3, 2) | heads)).all()


def test_first_tokens_attend_to_each_other() -> None:
    mask = dense("section")
    assert mask[np.ix_([0, 5], [0, 5])].all()
    assert not mask[np.ix_([1, 6], [1, 6])].all()


def test_sentences_are_inside_sections() -> None:
    assert (~dense("sentence") | dense("section:heads=false")).all()


def test_masks_without_heads_are_symmetric() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        starts = rng.random(15) < 0.3
        mask = dense("sentence", 15, sentence_starts=starts, section_starts=starts)
        assert (mask == mask.T).all()
        assert mask.diagonal().all()


def test_the_first_real_token_always_starts_a_sentence() -> None:
    none = [0] * 6
    assert dense("sentence", 6, sentence_starts=none, section_starts=none).all()
    mask = dense("section", 6, section_starts=[1, 0, 0, 0, 1, 0], valid=[0, 0, 1, 1, 1, 1])
    own = mask[2:, 2:].astype(int).tolist()
    assert own == [[1, 1, 1, 0], [1, 1, 1, 0], [1, 0, 1, 1], [1, 0, 1, 1]]


def test_starts_in_padding_are_ignored() -> None:
    valid = [0, 0, 1, 1, 1, 0]
    for text in ("sentence:heads=true", "section"):
        quiet = dense(text, 6, sentence_starts=[0] * 6, section_starts=[0] * 6, valid=valid)
        loud = [1, 1, 0, 0, 0, 1]
        assert (
            dense(text, 6, sentence_starts=loud, section_starts=loud, valid=valid) == quiet
        ).all()
        assert not quiet[2:5, [0, 1, 5]].any()


def test_a_cache_gives_the_last_rows() -> None:
    for text in ("sentence", "sentence:heads=true", "section"):
        pattern = maskplug.pattern(text)
        annotations = {"sentence_starts": SENTENCES, "section_starts": SECTIONS}
        later = pattern.dense(3, 10, offset=6, attention_kind="decoder", **annotations)[0, 0]
        assert (later == dense(text)[6:9]).all()


def test_one_token_and_no_tokens() -> None:
    for text in ("sentence", "section"):
        assert dense(text, 1).all()
        assert dense(text, 0).shape == (0, 0)
