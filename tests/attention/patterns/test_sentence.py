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


def test_the_first_real_token_always_starts_a_sentence() -> None:
    none = [0] * 6
    assert dense("sentence", 6, sentence_starts=none, section_starts=none).all()
    mask = dense("section", 6, section_starts=[1, 0, 0, 0, 1, 0], valid=[0, 0, 1, 1, 1, 1])
    inside = mask[2:, 2:].astype(int).tolist()
    assert inside == [[1, 1, 1, 0], [1, 1, 1, 0], [1, 0, 1, 1], [1, 0, 1, 1]]
