"""What masking knows of a tokenizer."""

from __future__ import annotations

import pickle
from itertools import chain
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from maskplug import Vocabulary
from maskplug.errors import VocabularyError
from support.batches import batch


def test_named_ids_are_special() -> None:
    vocab = Vocabulary(
        size=12, mask_id=4, pad_id=0, bos_id=2, eos_id=3, special_ids={1}, sentinel_ids=[11, 10]
    )
    assert np.flatnonzero(vocab.special).tolist() == [0, 1, 2, 3, 4, 10, 11]
    assert vocab.ordinary.tolist() == [5, 6, 7, 8, 9]
    assert vocab.sentinel_ids.tolist() == [11, 10]
    assert not vocab.has_words
    for table in (vocab.special, vocab.ordinary, vocab.sentinel_ids):
        assert not table.flags.writeable


@pytest.mark.parametrize(
    "name", ["mask_id", "pad_id", "bos_id", "eos_id", "special_ids", "sentinel_ids"]
)
@pytest.mark.parametrize("value", [-1, 10, 10**9])
def test_ids_outside_the_vocabulary_are_refused(name: str, value: int) -> None:
    with pytest.raises(VocabularyError, match=f"{name} {value} is outside .* 0 to 9"):
        Vocabulary(size=10, **{name: value if name.endswith("_id") else [3, value]})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "size is 0"),
        ({"size": 3, "word_start": [True, False]}, r"word_start has shape \(2,\), not \(3,\)"),
        ({"size": 3, "joins_next": np.zeros((3, 1))}, r"joins_next has shape \(3, 1\)"),
        ({"size": 1, "word_start": [True], "joins_next": [True]}, "only one of them"),
    ],
)
def test_contradictory_arguments_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(VocabularyError, match=message):
        Vocabulary(**options)


@pytest.mark.parametrize(
    ("pieces", "table", "expected"),
    [
        (["[MASK]", "un", "##seen", "##"], "word_start", [1, 1, 0, 1]),
        (["<s>", "▁new", "er", "▁"], "word_start", [0, 1, 0, 1]),
        (["er", "Ġnew", "Ġer", "ers"], "word_start", [0, 1, 1, 0]),
        (["<s>", "new@@", "er", "@@"], "joins_next", [0, 1, 0, 0]),
        (["<s>", "new", "er</w>", "</w>"], "joins_next", [1, 1, 0, 0]),
        (["<s>", "new", "er"], "word_start", [1, 1, 1]),
    ],
)
def test_word_starts_follow_the_spelling(
    pieces: list[str], table: str, expected: list[int]
) -> None:
    vocab = Vocabulary.from_pieces(pieces)
    assert getattr(vocab, table).astype(int).tolist() == expected
    assert vocab.has_words


@pytest.mark.parametrize("table", ["word_start", "joins_next"])
def test_word_starts_of_a_row_do_not_depend_on_the_row_before(table: str) -> None:
    vocab = Vocabulary(size=8, **{table: np.arange(8) % 2 == 1})
    rows = [[1, 2, 3], [], [5, 5, 1], [2, 3]]
    together = vocab.word_starts(batch(rows)).tolist()
    alone = [vocab.word_starts(batch([row])).tolist() for row in rows]
    assert together == list(chain.from_iterable(alone))


def test_protected_tokens_cannot_be_masked() -> None:
    vocab = Vocabulary(size=8, mask_id=0)
    tokens = batch([[0, 1, 2]], protected=[[0, 0, 1]])
    assert vocab.maskable(tokens).tolist() == [False, True, False]


def test_require_mask() -> None:
    assert Vocabulary(size=8, mask_id=0).require_mask("x") == 0
    with pytest.raises(VocabularyError, match=r"x inserts a mask token.*add_special_tokens"):
        Vocabulary(size=8).require_mask("x")


def test_from_sentencepiece() -> None:
    pieces = ["<unk>", "<s>", "</s>", "▁a", "b", "<mask>", "<unused>"]
    pieces += ["<extra_id_1>", "<extra_id_0>", "[de]", "<", "[1]"]
    processor = SimpleNamespace(
        get_piece_size=lambda: len(pieces),
        id_to_piece=pieces.__getitem__,
        is_unknown=lambda i: i == 0,
        is_control=lambda i: i in (1, 2),
        is_unused=lambda i: i == 6,
        pad_id=lambda: -1,
        bos_id=lambda: 1,
        eos_id=lambda: 2,
    )
    vocab = Vocabulary.from_sentencepiece(processor)
    assert (vocab.mask_id, vocab.pad_id, vocab.bos_id, vocab.eos_id) == (5, None, 1, 2)
    assert vocab.ordinary.tolist() == [3, 4, 10, 11]
    assert vocab.word_start.tolist() == [i == 3 for i in range(12)]
    assert vocab.sentinel_ids.tolist() == [8, 7]
    assert vocab.id_of("[de]", "a test") == 9
    assert vocab.codec is processor
    assert Vocabulary.from_sentencepiece(processor, mask="b").mask_id == 4
    with pytest.raises(VocabularyError, match="no piece 'x'"):
        Vocabulary.from_sentencepiece(processor, mask="x")


def test_pickled_arrays_stay_read_only() -> None:
    vocab = Vocabulary(size=5, special_ids=[1], word_start=[True] * 5)
    assert len(vocab.ordinary) == 4  # computed, and pickled with the rest
    again = pickle.loads(pickle.dumps(vocab))
    for name in ("special_ids", "word_start", "ordinary", "special"):
        assert not getattr(again, name).flags.writeable, name
        assert getattr(again, name).tolist() == getattr(vocab, name).tolist()
