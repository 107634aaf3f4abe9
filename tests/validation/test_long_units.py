"""The warning of a unit that is far larger than the budget."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import maskplug
from maskplug import Vocabulary
from maskplug.errors import MaskplugWarning
from maskplug.validation import results
from support.batches import batch

ONE_WORD = Vocabulary(
    size=60,
    mask_id=4,
    word_start=np.zeros(60, np.bool_),
    sentence_end=np.arange(60) == 59,
    named={"<mask_1>": 3},
    special_ids=[2],
)


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "_warned", set())


@pytest.mark.parametrize(
    ("name", "options", "remedy"),
    [
        ("whole_word", {}, "one word has 20 tokens.*'word_ids'.*segment_words"),
        ("span", {}, "one word"),
        ("ngram", {}, "one word"),
        ("bert", {"unit": "word"}, "one word"),
        ("dynamic", {"unit": "word"}, "one word"),
        ("roberta", {"unit": "word"}, "one word"),
        ("bart", {"permute": 0}, "one word"),
        ("mbart", {"permute": 0}, "one word"),
        ("dynamic", {"unit": "sentence"}, "one sentence.*'sentence_starts'"),
        ("gap_sentences", {}, "one sentence"),
    ],
)
def test_one_warning_per_strategy_and_unit(
    name: str, options: dict[str, object], remedy: str
) -> None:
    strategy = maskplug.strategy(name, **options)
    tokens = batch([list(range(10, 30))] * 3)
    with pytest.warns(MaskplugWarning, match=remedy) as caught:
        first = strategy(tokens, ONE_WORD, seed=1)
    assert len(caught) == 1
    assert "\n" not in str(caught[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = strategy(tokens, ONE_WORD, seed=1)
    assert again.inputs.to_lists() == first.inputs.to_lists()


@pytest.mark.parametrize(
    ("rows", "starts"),
    [
        ([[10] * 7], [[0] * 7]),  # a short row
        ([[10] * 200], [[i % 6 == 0 for i in range(200)]]),  # long words, within the budget
        ([[10] * 40], [[i % 5 == 0 for i in range(40)]]),
    ],
)
def test_ordinary_long_words_do_not_warn(rows: list[list[int]], starts: list[list[bool]]) -> None:
    tokens = batch(rows * 50, word_starts=starts * 50)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        maskplug.strategy("whole_word", rate=0.15)(tokens, ONE_WORD, seed=1)


def test_token_units_do_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        maskplug.strategy("dynamic", rate=1.0)(batch([[10] * 30]), ONE_WORD)
