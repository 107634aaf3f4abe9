from __future__ import annotations

import pytest
from fairseq.data import Dictionary

from maskplug.errors import VocabularyError
from maskplug_fairseq import vocabulary


def dictionary(*pieces: str) -> Dictionary:
    made = Dictionary()
    for piece in pieces:
        made.add_symbol(piece)
    return made


def test_sentencepiece() -> None:
    vocab = vocabulary(dictionary("▁new", "er", "▁day"))
    assert vocab.word_start[4:].tolist() == [True, False, True]


def test_subword_nmt() -> None:
    vocab = vocabulary(dictionary("new@@", "er", "day"))
    assert vocab.joins_next[4:].tolist() == [True, False, False]


def test_specials_are_the_symbols_that_no_text_contains() -> None:
    vocab = vocabulary(dictionary("▁a", "<mask>", "madeupword0000", "madeupword0001", "madeup"))
    assert vocab.special.nonzero()[0].tolist() == [0, 1, 2, 3, 5, 6, 7]
    assert (vocab.bos_id, vocab.pad_id, vocab.eos_id) == (0, 1, 2)


@pytest.mark.parametrize(
    ("pieces", "symbol", "mask"),
    [
        (["a", "madeupword0000", "<mask>"], "auto", 6),
        (["a", "madeupword0000", "madeupword0001"], "auto", 5),
        (["a"], "auto", 3),
        (["a", "<mask>"], "<mask>", 5),
        (["a", "<mask>"], "<unk>", 3),
        (["a", "<mask>", "madeupword0000"], "madeupword0000", 6),
        (["a", "<mask>", "b"], "add", 5),
        (["a", "madeupword0000"], "add", 6),
    ],
)
def test_choice_of_the_mask_symbol(pieces: list[str], symbol: str, mask: int) -> None:
    assert vocabulary(dictionary(*pieces), symbol).mask_id == mask


def test_only_add_changes_the_dictionary() -> None:
    given = dictionary("a", "madeupword0000")
    vocabulary(given, "auto")
    assert len(given) == 6
    assert vocabulary(given, "add").size == len(given) == 7
    vocabulary(given, "add")
    assert len(given) == 7
    assert given.count == [1, 1, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("symbol", ["<mask>", "madeupword0007", "a", "[MASK]", ""])
def test_a_missing_symbol_is_an_error_that_says_what_there_is(symbol: str) -> None:
    with pytest.raises(VocabularyError, match="madeupword0000, <unk>") as error:
        vocabulary(dictionary("a", "madeupword0000"), symbol)
    assert repr(symbol) in str(error.value)
    assert "'add'" in str(error.value)
