"""The vocabulary of every family of tokenizers."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import decoders

from maskplug.errors import VocabularyError
from maskplug_hf import vocabulary
from support import hf_tokenizers as tokenizers


def pieces(tokenizer: Any, ids: Any) -> list[str]:
    return tokenizer.convert_ids_to_tokens([int(i) for i in ids])


def test_wordpiece() -> None:
    tokenizer = tokenizers.bert()
    vocab = vocabulary(tokenizer)
    assert vocab.size == len(tokenizer)
    assert (vocab.mask_id, vocab.pad_id) == (tokenizer.mask_token_id, tokenizer.pad_token_id)
    assert (vocab.bos_id, vocab.eos_id) == (tokenizer.cls_token_id, tokenizer.sep_token_id)
    special = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
    assert set(pieces(tokenizer, vocab.special.nonzero()[0])) == special
    ordinary = pieces(tokenizer, vocab.ordinary)
    begins = vocab.word_start[vocab.ordinary].tolist()
    assert begins == [not piece.startswith("##") for piece in ordinary]
    assert not all(begins)


def test_slow_tokenizer(tmp_path: Path) -> None:
    tokenizer = tokenizers.marian(tmp_path)
    assert not tokenizer.is_fast
    vocab = vocabulary(tokenizer)
    assert vocab.size == len(tokenizer)
    assert (vocab.mask_id, vocab.eos_id) == (None, 0)
    assert vocab.pad_id == tokenizer.pad_token_id
    special = set(pieces(tokenizer, vocab.special.nonzero()[0]))
    assert special == {"</s>", "<unk>", "<pad>"}
    marked = [piece.startswith("▁") for piece in pieces(tokenizer, vocab.ordinary)]
    assert vocab.word_start[vocab.ordinary].tolist() == marked


def test_sentinels_by_name_in_order_of_use() -> None:
    tokenizer = tokenizers.t5()
    tokenizer.add_tokens(["newword"])  # len(tokenizer) - 1 is no longer the first sentinel
    vocab = vocabulary(tokenizer)
    names = [f"<extra_id_{i}>" for i in range(10)]
    assert pieces(tokenizer, vocab.sentinel_ids) == names
    assert vocab.special[vocab.sentinel_ids].all()
    assert not vocab.special[tokenizer.convert_tokens_to_ids("newword")]


def test_ids_without_a_token_are_never_drawn() -> None:
    vocab = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "a": 5, "b": 9}
    sparse = vocabulary(tokenizers.BertTokenizerFast(vocab=vocab))
    assert sparse.size == 10
    assert sparse.ordinary.tolist() == [5, 9]


def test_no_mask_token() -> None:
    tokenizer = tokenizers.gpt2()
    assert vocabulary(tokenizer).mask_id is None
    assert vocabulary(tokenizer, mask_id=7).mask_id == 7
    with pytest.raises(VocabularyError, match="mask_id 999 is outside"):
        vocabulary(tokenizer, mask_id=999)


def test_not_a_tokenizer() -> None:
    with pytest.raises(VocabularyError, match="'bert' is not a tokenizer"):
        vocabulary("bert")


@pytest.mark.parametrize("make", ["bert", "gpt2", "roberta", "t5"])
def test_special_tokens_of_the_user_are_special_and_named(make: str) -> None:
    tokenizer = getattr(tokenizers, make)()
    tokenizer.add_special_tokens({"additional_special_tokens": ["[R]", "<fim_middle>"]})
    tokenizer.add_tokens(["plain"])
    tokenizer.add_tokens(["<mode>"], special_tokens=True)
    vocab = vocabulary(tokenizer)
    assert vocab.size == len(tokenizer)
    for text in ("[R]", "<fim_middle>", "<mode>", *tokenizer.all_special_tokens):
        token_id = tokenizer.convert_tokens_to_ids(text)
        assert vocab.id_of(text, "test") == token_id
        assert vocab.special[token_id]
    assert not vocab.special[tokenizer.convert_tokens_to_ids("plain")]
    with pytest.raises(VocabularyError, match=r"'plain', which .*'<mode>'"):
        vocab.id_of("plain", "test")
    assert "" not in vocab.named


def test_sentences_end_where_the_spelling_says_so() -> None:
    vocab = {piece: i for i, piece in enumerate(["[PAD]", "[UNK]", "a", ".", "##.", "!", "b"])}
    tokenizer = tokenizers.BertTokenizerFast(vocab=vocab)
    ends = pieces(tokenizer, vocabulary(tokenizer).sentence_end.nonzero()[0])
    assert set(ends) == {".", "##.", "!"}


@pytest.mark.parametrize("make", ["bert", "gpt2", "roberta", "t5"])
def test_codec_adds_no_special_tokens(make: str) -> None:
    tokenizer = getattr(tokenizers, make)()
    codec = pickle.loads(pickle.dumps(vocabulary(tokenizer).codec))
    ids = codec.encode(tokenizers.TEXT[0])
    assert ids == tokenizer(tokenizers.TEXT[0], add_special_tokens=False)["input_ids"]
    assert codec.decode(np.array(ids)).strip() == tokenizers.TEXT[0]
    special = tokenizer.all_special_ids[0]
    assert tokenizer.convert_ids_to_tokens(special) in codec.decode([*ids, special])
    assert codec.encode("") == []
    assert codec.decode([]) == ""


@pytest.mark.parametrize("text", ["the lazy dog", " two  blanks ,", "naïve 漢字", ""])
def test_codec_restores_the_encoded_text(text: str) -> None:
    codec = vocabulary(tokenizers.lossless()).codec
    assert codec is not None
    assert codec.decode(codec.encode(text)) == text


def test_codec_does_not_clean_up_text() -> None:
    vocab = {piece: i for i, piece in enumerate(["[PAD]", "[UNK]", "a", ".", "b"])}
    tokenizer = tokenizers.BertTokenizerFast(vocab=vocab, clean_up_tokenization_spaces=True)
    tokenizer.backend_tokenizer.decoder = decoders.WordPiece(cleanup=False)
    codec = vocabulary(tokenizer).codec
    assert codec is not None
    ids = codec.encode("a b . a")
    assert tokenizer.decode(ids) == "a b. a"
    assert codec.decode(ids) == "a b . a"
