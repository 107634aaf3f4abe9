"""Principal sentences match the scalar reference and figures of PEGASUS's code."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskplug import Rng
from maskplug.selectors import GapSentences
from support import reference_denoising as ref
from support.batches import batch
from support.cases import RICH
from support.denoising import ENDS
from support.scale import scenes

sentence = st.lists(st.integers(10, 16), max_size=5).map(lambda words: [*words, 7])
texts = st.lists(st.lists(sentence, max_size=9), max_size=4)


def chosen(texts: Sequence[Sequence[Sequence[int]]], selector: GapSentences) -> list[list[int]]:
    """Return the indices of the selected sentences of each text."""
    rows = [[2, *(token for sentence in text for token in sentence), 3] for text in texts]
    starts = [
        [0, *(int(i == 0) for sentence in text for i in range(len(sentence))), 0] for text in texts
    ]
    tokens = batch(rows, sentence_starts=starts)
    selection = selector.select(tokens, RICH, Rng.at(1, 0, tokens.keys))
    numbers = []
    for i, text in enumerate(texts):
        at, places = int(tokens.offsets[i]) + 1, {}
        for number, words in enumerate(text):
            places[at] = number
            at += len(words)
        row_starts = selection.starts[selection.offsets[i] : selection.offsets[i + 1]]
        numbers.append([places[int(start)] for start in row_starts])
    return numbers


@given(texts, st.floats(0, 0.999), st.booleans(), st.booleans())
def test_principal_matches_reference(
    texts: list[list[list[int]]], rate: float, sequential: bool, unique: bool
) -> None:
    selector = GapSentences(rate, "principal", sequential, unique)
    assert chosen(texts, selector) == [
        ref.principal(text, ref.gap_count(rate, len(text)), ENDS, sequential, unique)
        for text in texts
    ]


@pytest.mark.parametrize("sequential", [False, True])
def test_principal_of_a_long_text_with_equal_sentences(sequential: bool) -> None:
    sentences = scenes(50, 150)
    words = np.random.default_rng(1).integers(10, 14, (sentences, 2))
    text = [[*pair, 7] for pair in words.tolist()]
    expected = ref.principal(text, int(0.3 * sentences), ENDS, sequential, False)
    assert chosen([text], GapSentences(0.3, sequential=sequential)) == [expected]


@pytest.mark.parametrize(("sequential", "expected"), [(False, [2, 3]), (True, [1, 3])])
def test_sequential_differs_from_separate_scores(sequential: bool, expected: list[int]) -> None:
    text = [[11, 7], [12, 7], [14, 7], [14, 7]]
    assert chosen([text], GapSentences(0.5, sequential=sequential)) == [expected]


@pytest.mark.parametrize(("unique", "expected"), [(False, [0]), (True, [1])])
def test_unique_differs_from_all_counts(unique: bool, expected: list[int]) -> None:
    text = [[10, 10, 10, 11, 7], [10, 11, 12, 7], [10, 13, 7]]
    assert chosen([text], GapSentences(0.4, unique=unique)) == [expected]


def test_later_of_equal_sentences_is_selected() -> None:
    text = [[10, 7]] * 5
    assert chosen([text], GapSentences(0.4)) == [[3, 4]]
    assert chosen([[[10, 7], [12, 7], [14, 7]]], GapSentences(0.4)) == [[2]]


def test_sentence_ends_do_not_count() -> None:
    # If its five full stops counted, the first sentence would have the highest score.
    text = [[7, 7, 7, 7, 7], [10, 7], [11, 9], [10, 9]]
    assert chosen([text], GapSentences(0.25)) == [[3]]
