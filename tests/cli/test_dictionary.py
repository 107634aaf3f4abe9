"""``maskplug dictionary`` with all kinds of tokenizers."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

import maskplug
from support.commands import refused, sentencepiece_model, succeeded, wordpiece

WORDS = "house\tHaus\nhouse Heim\nhouse  Haus\ncat\tKatze\n\nzebra Zebra\ntree\nNew York\tParis\n"


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "words.txt"
    path.write_text(WORDS, encoding="utf-8")
    return path


def convert(tokenizer: Path, words: str = WORDS) -> tuple[str, str]:
    """Return the text of the converted dictionary, and the output of the command."""
    source, out = tokenizer.parent / "words.txt", tokenizer.parent / "ids.tsv"
    source.write_text(words, encoding="utf-8")
    output = succeeded("dictionary", source, "--source-tokenizer", tokenizer, "--out", out)
    return out.read_text(), output


PIECES = ("house", "Haus", "Heim", "cat", "Kat", "##ze", "tree", "New", "York", "Paris")


def test_hugging_face_tokenizer_and_skipped_lines(tmp_path: Path) -> None:
    ids, output = convert(wordpiece(tmp_path / "tok", *PIECES))
    assert ids == "4\t5\n4\t6\n7\t8 9\n"
    assert "wrote 3 entries from 8 lines" in output
    assert "1 left out: unknown or special pieces (the first: line 6, 'zebra Zebra')" in output
    assert "not a word and its translation (the first: line 7, 'tree')" in output
    assert "several words to the source tokenizer (the first: line 8" in output
    dictionary = str(tmp_path / "ids.tsv")
    strategy = maskplug.strategy("code_switch", dictionary=dictionary, rate=1.0)
    vocab = maskplug.Vocabulary.from_pieces(["u", "m", "c", "s", *PIECES], special_ids=range(4))
    masked = strategy(maskplug.TokenBatch.from_lists([[2, 7, 10, 3]]), vocab)
    assert masked.inputs.to_lists() == [[2, 8, 9, 10, 3]]


def test_words_have_other_pieces_within_a_text(tmp_path: Path) -> None:
    model = Tokenizer(models.BPE())
    model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    model.decoder = decoders.ByteLevel()
    texts = ["cat dog"] * 50 + ["dog cat"] * 50
    model.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=300, special_tokens=["<e>"]))
    PreTrainedTokenizerFast(tokenizer_object=model, eos_token="<e>").save_pretrained(
        str(tmp_path / "tok")
    )
    words = ("cat", "dog", " cat", " dog")
    cat, dog, inner_cat, inner_dog = (" ".join(map(str, model.encode(w).ids)) for w in words)
    assert cat != inner_cat
    ids, _ = convert(tmp_path / "tok", "cat dog\n")
    assert ids == f"{cat}\t{dog}\n{inner_cat}\t{inner_dog}\n"


def test_fairseq_dictionary(tmp_path: Path) -> None:
    (tmp_path / "dict.txt").write_text("house 3\nHaus 2\ncat 1\n")
    ids, output = convert(tmp_path / "dict.txt", "house\tHaus\ncat\tKatze\n")
    assert ids == "4\t5\n"
    assert "1 left out: unknown" in output


def test_sentencepiece_model(tmp_path: Path) -> None:
    import sentencepiece

    path = sentencepiece_model(tmp_path, "a small text about small things")
    model = sentencepiece.SentencePieceProcessor(model_file=str(path))
    left, right = (" ".join(map(str, model.encode(word))) for word in ("small", "things"))
    assert convert(path, "small things\n")[0] == f"{left}\t{right}\n"


def test_two_tokenizers_must_have_the_same_ids(tmp_path: Path, words: Path) -> None:
    source = wordpiece(tmp_path / "a", *PIECES)
    same = wordpiece(tmp_path / "b", *PIECES)
    other = wordpiece(tmp_path / "c", *reversed(PIECES))
    longer = wordpiece(tmp_path / "d", *PIECES[:1], *["x"] * 20, *PIECES[1:])
    out = tmp_path / "ids.tsv"
    arguments = ("dictionary", words, "--out", out, "--source-tokenizer", source)
    succeeded(*arguments, "--target-tokenizer", same)
    for tokenizer in (other, longer):
        out.unlink(missing_ok=True)
        message = refused(*arguments, "--target-tokenizer", tokenizer)
        assert "one vocabulary for both languages" in message
        assert not out.exists()


def test_invalid_input_is_refused(tmp_path: Path, words: Path) -> None:
    tokenizer = wordpiece(tmp_path / "tok", *PIECES)
    (tmp_path / "latin").write_bytes(b"caf\xe9 Kaffee\n")
    nowhere = tmp_path / "no" / "ids.tsv"
    for arguments, message in (
        ((tmp_path / "none", "--out", "x"), "none cannot be read: No such file"),
        ((tmp_path / "latin", "--out", "x"), "latin, line 1: not UTF-8"),
        ((words, "--out", nowhere), "ids.tsv cannot be written: No such file"),
    ):
        assert message in refused("dictionary", *arguments, "--source-tokenizer", tokenizer)
