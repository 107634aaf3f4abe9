"""The vocabulary of every family of tokenizers: special tokens, codecs and words."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import ByT5Tokenizer, PreTrainedTokenizerFast, T5TokenizerFast

import maskplug
from maskplug.errors import VocabularyError
from maskplug_hf import vocabulary
from support import hf_tokenizers as tokenizers
from support.batches import batch
from support.word_families import FAMILIES, SENTENCES, code, family, text

LANGUAGES = list(SENTENCES)
STRATEGIES: dict[str, dict[str, Any]] = {
    "whole_word": {},
    "span": {},
    "ngram": {},
    "bert": {"unit": "word", "max_predictions": 1000},
    "bart": {"permute": 0},
    "mbart": {"permute": 0},
}
#: Shares of boundaries on which both agree. A pair of tokens does not tell everything that a
#: regular expression looks at: " @" before letters, "'ll", or which blank is the last of a run.
LEAST = {"bert": 1.0, "xlmr": 1.0, "t5": 1.0, "gpt2": 0.999, "modernbert": 0.999}
IN_CODE = {**LEAST, "gpt2": 0.995, "modernbert": 0.99, "llama3": 0.97, "qwen": 0.97}


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
    for token in ("[R]", "<fim_middle>", "<mode>", *tokenizer.all_special_tokens):
        token_id = tokenizer.convert_tokens_to_ids(token)
        assert vocab.id_of(token, "test") == token_id
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


# --- words ---------------------------------------------------------------------------------------


def starts(tokenizer: Any, rows: list[list[int]]) -> np.ndarray:
    return vocabulary(tokenizer).word_starts(batch(rows))


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("source", ["prose", "lines", "code"])
def test_words_agree_with_the_pre_tokenizer(name: str, source: str) -> None:
    lines = text("test") if source != "code" else code()
    if source == "lines":
        lines = ["\n".join(lines[i : i + 4]) for i in range(0, len(lines), 4)]
    tokenizer = family(name)
    encoded = tokenizer(lines, add_special_tokens=False)
    expected = []
    for i in range(len(lines)):
        words = encoded.word_ids(i)
        expected += [j == 0 or words[j] != words[j - 1] for j in range(len(words))]
    special = vocabulary(tokenizer).special[np.concatenate(encoded["input_ids"]).astype(int)]
    # An unknown token is special, and ends a word.
    known = ~special & ~np.append(False, special[:-1])
    agree = (starts(tokenizer, encoded["input_ids"]) == np.array(expected))[known].mean()
    assert agree >= (IN_CODE if source == "code" else LEAST).get(name, 0.995)


def test_llama_splits_words_at_blanks_and_line_ends() -> None:
    tokenizer = family("llama")
    lines = ["\n".join(text("test")[i : i + 4]) for i in range(0, 40, 4)]
    rows = tokenizer(lines, add_special_tokens=False)["input_ids"]
    for line, row in zip(lines, rows, strict=True):
        units = maskplug.units(batch([row]), vocabulary(tokenizer), "word")
        words = [
            tokenizer.decode(row[a : a + n]).strip(" ")
            for a, n in zip(units.starts.tolist(), units.lengths.tolist(), strict=True)
        ]
        assert words == line.replace("\n", " \n ").split(" ")


@pytest.mark.parametrize("name", ["gpt2", "modernbert", "llama3", "qwen"])
def test_line_ends_are_words(name: str) -> None:
    tokenizer = family(name)
    encoded = tokenizer("hello\nworld\nhello\nworld", add_special_tokens=False)
    units = maskplug.units(batch([encoded["input_ids"]]), vocabulary(tokenizer), "word")
    assert units.counts.tolist() == [7] == [len(set(encoded.word_ids()))]


@pytest.mark.parametrize("name", ["bert", "gpt2", "llama3", "llama", "xlmr"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_rate_is_kept_in_every_language(name: str, language: str) -> None:
    tokenizer = family(name)
    vocab = vocabulary(tokenizer)
    rows = tokenizer(SENTENCES[language], add_special_tokens=False)["input_ids"]
    rows = [row for row in rows if not vocab.special[row].all()] * 80
    if not rows:
        pytest.skip("all of the text is unknown to it")
    tokens = batch(rows)
    free = vocab.maskable(tokens)
    for strategy, options in STRATEGIES.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", maskplug.MaskplugWarning)
            masked = maskplug.strategy(strategy, rate=0.15, **options)(tokens, vocab, seed=1)
        assert 0.1 < masked.selection.mask[free].mean() < 0.21, strategy


@pytest.mark.parametrize("name", ["gpt2", "llama3", "llama"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_cuts_a_character(name: str, language: str) -> None:
    tokenizer = family(name)
    for line in SENTENCES[language]:
        row = tokenizer(line, add_special_tokens=False)["input_ids"]
        units = maskplug.units(batch([row]), vocabulary(tokenizer), "word")
        ends = (units.starts + units.lengths).tolist()
        assert units.lengths.sum() == len(row)
        assert not any("\ufffd" in tokenizer.decode(row[:end]) for end in ends)


def test_sentinels_of_mt5() -> None:
    names = [f"▁<extra_id_{i}>" for i in range(9, -1, -1)]
    pieces = ["<pad>", "</s>", "<unk>", "▁", "▁a", "b", "▁new", *names]
    tokenizer = T5TokenizerFast(vocab=[(piece, -1.0) for piece in pieces], extra_ids=0)
    vocab = vocabulary(tokenizer)
    assert [pieces[i] for i in vocab.sentinel_ids] == names[::-1]
    assert [pieces[i] for i in vocab.ordinary] == ["▁", "▁a", "b", "▁new"]
    masked = maskplug.strategy("t5")(batch([[4, 5, 6, 5, 4, 5, 1]]), vocab)
    assert set(masked.inputs.values) & {16}


def test_byte_tokenizers_split_words_at_blanks() -> None:
    tokenizer = ByT5Tokenizer()
    row = tokenizer("é a 我们\nb", add_special_tokens=False)["input_ids"]
    begins = [1, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 1, 1]
    assert starts(tokenizer, [row]).astype(int).tolist() == begins


def test_a_character_vocabulary_with_a_letter_like_a_mark() -> None:
    vocab = {char: i for i, char in enumerate(["[UNK]", *"abcdeĠġżħ▁"])}
    characters = Tokenizer(models.WordLevel(vocab, unk_token="[UNK]"))
    characters.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=characters, unk_token="[UNK]")
    assert starts(tokenizer, [list(range(1, 11))]).all()


def test_added_tokens_are_words() -> None:
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(family("gpt2").backend_tokenizer.to_str())
    )
    tokenizer.add_tokens(["neologism", "    "])
    encoded = tokenizer("aneologisms    b", add_special_tokens=False)
    words = encoded.word_ids()
    expected = [i == 0 or words[i] != words[i - 1] for i in range(len(words))]
    assert starts(tokenizer, [encoded["input_ids"]]).tolist() == expected
