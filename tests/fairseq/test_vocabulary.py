from __future__ import annotations

import pytest

from maskplug.errors import VocabularyError
from maskplug_fairseq import vocabulary
from maskplug_fairseq.vocabulary import add_symbols, truncate
from support.fairseq_data import dictionary


def test_word_starts_by_spelling() -> None:
    sentencepiece = vocabulary(dictionary("▁new", "er", "▁day"))
    assert sentencepiece.word_start[4:].tolist() == [True, False, True]
    subword_nmt = vocabulary(dictionary("new@@", "er", "day"))
    assert subword_nmt.joins_next[4:].tolist() == [True, False, False]


def test_special_ids() -> None:
    words = dictionary("▁a", "<mask>", "madeupword0000", "madeupword0001", "madeup")
    vocab = vocabulary(words)
    assert vocab.special.nonzero()[0].tolist() == [0, 1, 2, 3, 5, 6, 7]
    assert (vocab.bos_id, vocab.pad_id, vocab.eos_id) == (0, 1, 2)
    vocab = vocabulary(dictionary("a", "b"), special_ids=[5])
    assert vocab.special.nonzero()[0].tolist() == [0, 1, 2, 3, 5]


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
def test_mask_symbols(pieces: list[str], symbol: str, mask: int) -> None:
    assert vocabulary(dictionary(*pieces), symbol).mask_id == mask


def test_only_add_changes_the_dictionary() -> None:
    words = dictionary("a", "madeupword0000")
    vocabulary(words, "auto")
    assert len(words) == 6
    for _ in range(2):
        assert vocabulary(words, "add").size == len(words) == 7
    assert words.count == [1] * 7


@pytest.mark.parametrize("symbol", ["<mask>", "madeupword0007", "a", "[MASK]", ""])
def test_missing_mask_symbols(symbol: str) -> None:
    with pytest.raises(VocabularyError, match="madeupword0000, <unk>") as error:
        vocabulary(dictionary("a", "madeupword0000"), symbol)
    assert repr(symbol) in str(error.value)
    assert "'add'" in str(error.value)


def test_marks_are_special_and_named() -> None:
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
def test_sentinels_are_in_the_order_of_their_numbers(pieces: list[str], ids: list[int]) -> None:
    vocab = vocabulary(dictionary(*pieces))
    assert vocab.sentinel_ids.tolist() == ids
    assert vocab.special[ids].all()


def test_truncate_undoes_add_symbols() -> None:
    words = dictionary("a", "madeupword0000")
    add_symbols(words, ["[de]", "a", "<mask>"])
    assert words.symbols[6:] == ["[de]", "<mask>"]
    truncate(words, 6)
    assert (words.symbols[4:], len(words.count)) == (["a", "madeupword0000"], 6)
    assert words.index("[de]") == words.unk()
    add_symbols(words, ["<mask>"])
    assert words.index("<mask>") == 6
