from __future__ import annotations

import pytest
from fairseq.data import Dictionary

from maskplug.errors import VocabularyError
from maskplug_fairseq import vocabulary
from maskplug_fairseq.vocabulary import add_symbols, truncate


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


def test_symbols_that_stand_for_no_text_are_special_and_named() -> None:
    marks = ["[de]", "[de_DE]", "<2en>", "<extra_id_1>", "<extra_id_0>"]
    text = ["[1]", "[", "[]", "<", "<>", "...", "a<b>", "<a", "[a b"]
    vocab = vocabulary(dictionary(*marks, *text))
    assert vocab.special.nonzero()[0].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8]
    assert {name: vocab.named[name] for name in marks} == dict(zip(marks, range(4, 9), strict=True))
    assert not {*text} & {*vocab.named}


@pytest.mark.parametrize(
    ("pieces", "ids"),
    [
        (["a", "<extra_id_10>", "<extra_id_2>", "<extra_id_0>"], [7, 6, 5]),
        (["<sentinel:0>", "<sentinel:1>"], [4, 5]),
        (["<sentinel_1>", "<sentinel_0>"], [5, 4]),
        (["<sentinel:0>", "<extra_id_0>"], [5]),
        (["a", "extra_id_0"], []),
    ],
)
def test_sentinels_by_name_in_the_order_of_their_numbers(pieces: list[str], ids: list[int]) -> None:
    vocab = vocabulary(dictionary(*pieces))
    assert vocab.sentinel_ids.tolist() == ids
    assert vocab.special[ids].all()


def test_further_special_ids() -> None:
    assert vocabulary(dictionary("a", "b"), special_ids=[5]).special.nonzero()[0].tolist() == [
        *range(4),
        5,
    ]


def test_truncating_undoes_adding() -> None:
    given = dictionary("a", "madeupword0000")
    add_symbols(given, ["[de]", "a", "<mask>"])
    assert given.symbols[6:] == ["[de]", "<mask>"]
    truncate(given, 6)
    assert (given.symbols[4:], len(given.count)) == (["a", "madeupword0000"], 6)
    assert given.index("[de]") == given.unk()
    add_symbols(given, ["<mask>"])
    assert given.index("<mask>") == 6
