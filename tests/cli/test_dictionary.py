"""``maskplug dictionary``, as a user types it: with tokenizers of every kind."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

import maskplug
from maskplug.cli import main

WORDS = "house\tHaus\nhouse Heim\nhouse  Haus\ncat\tKatze\n\nzebra Zebra\ntree\nNew York\tParis\n"


def run(*arguments: object) -> Result:
    environment = {"COLUMNS": "200"}
    return CliRunner().invoke(main, ["dictionary", *map(str, arguments)], env=environment)


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "words.txt"
    path.write_text(WORDS, encoding="utf-8")
    return path


def wordpiece(folder: Path, *pieces: str) -> Path:
    """A BERT-like tokenizer: [CLS] … [SEP] around every text."""
    from tokenizers.processors import TemplateProcessing

    vocab = {p: i for i, p in enumerate(["[UNK]", "[MASK]", "[CLS]", "[SEP]", *pieces])}
    model = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    model.pre_tokenizer = pre_tokenizers.Whitespace()
    model.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=model, unk_token="[UNK]", mask_token="[MASK]", cls_token="[CLS]",
        sep_token="[SEP]",
    ).save_pretrained(str(folder))  # fmt: skip
    return folder


PIECES = ("house", "Haus", "Heim", "cat", "Kat", "##ze", "tree", "New", "York", "Paris")


def test_a_hugging_face_tokenizer_and_what_was_left_out(tmp_path: Path, words: Path) -> None:
    tokenizer, out = wordpiece(tmp_path / "tok", *PIECES), tmp_path / "ids.tsv"
    result = run(words, "--source-tokenizer", tokenizer, "--out", out)
    assert result.exit_code == 0, result.output
    assert out.read_text() == "4\t5\n4\t6\n7\t8 9\n"
    assert "3 entries from 8 lines" in result.output
    assert "1 left out: unknown or special pieces (the first: line 6, 'zebra Zebra')" in (
        result.output
    )
    assert "not a word and its translation (the first: line 7, 'tree')" in result.output
    assert "several words to the source tokenizer (the first: line 8" in result.output
    strategy = maskplug.strategy("code_switch", dictionary=str(out), rate=1.0)
    vocab = maskplug.Vocabulary.from_pieces(["u", "m", "c", "s", *PIECES], special_ids=range(4))
    masked = strategy(maskplug.TokenBatch.from_lists([[2, 7, 10, 3]]), vocab)
    assert masked.inputs.to_lists() == [[2, 8, 9, 10, 3]]


def test_words_within_a_text_have_other_pieces(tmp_path: Path) -> None:
    model = Tokenizer(models.BPE())
    model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    model.decoder = decoders.ByteLevel()
    texts = ["cat dog"] * 50 + ["dog cat"] * 50
    model.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=300, special_tokens=["<e>"]))
    PreTrainedTokenizerFast(tokenizer_object=model, eos_token="<e>").save_pretrained(
        str(tmp_path / "tok")
    )
    (tmp_path / "words.txt").write_text("cat dog\n")
    out = tmp_path / "ids.tsv"
    result = run(tmp_path / "words.txt", "--source-tokenizer", tmp_path / "tok", "--out", out)
    assert result.exit_code == 0, result.output
    ids = {word: model.encode(word).ids for word in ("cat", " cat", "dog", " dog")}
    assert ids["cat"] != ids[" cat"]
    joined = {word: " ".join(map(str, own)) for word, own in ids.items()}
    assert out.read_text() == "".join(
        f"{joined[a + 'cat']}\t{joined[a + 'dog']}\n" for a in ("", " ")
    )


def test_a_fairseq_dictionary(tmp_path: Path) -> None:
    (tmp_path / "dict.txt").write_text("house 3\nHaus 2\ncat 1\n")
    (tmp_path / "words.txt").write_text("house\tHaus\ncat\tKatze\n")
    out = tmp_path / "ids.tsv"
    result = run(tmp_path / "words.txt", "--source-tokenizer", tmp_path / "dict.txt", "--out", out)
    assert result.exit_code == 0, result.output
    assert out.read_text() == "4\t5\n"
    assert "1 left out: unknown" in result.output


def test_a_sentencepiece_model(tmp_path: Path) -> None:
    import sentencepiece

    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a small text about small things"] * 50),
        model_prefix=str(tmp_path / "spm"), vocab_size=30, hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    model = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "spm.model"))
    (tmp_path / "words.txt").write_text("small things\n")
    out = tmp_path / "ids.tsv"
    result = run(tmp_path / "words.txt", "--source-tokenizer", tmp_path / "spm.model", "--out", out)
    assert result.exit_code == 0, result.output
    left, right = (" ".join(map(str, model.encode(word))) for word in ("small", "things"))
    assert out.read_text() == f"{left}\t{right}\n"


def test_two_tokenizers_must_agree_on_ids(tmp_path: Path, words: Path) -> None:
    source = wordpiece(tmp_path / "a", *PIECES)
    same = wordpiece(tmp_path / "b", *PIECES)
    other = wordpiece(tmp_path / "c", *reversed(PIECES))
    longer = wordpiece(tmp_path / "d", *PIECES[:1], *["x"] * 20, *PIECES[1:])
    out = tmp_path / "ids.tsv"
    arguments = (words, "--out", out, "--source-tokenizer", source, "--target-tokenizer")
    assert run(*arguments, same).exit_code == 0
    for tokenizer in (other, longer):
        out.unlink(missing_ok=True)
        result = run(*arguments, tokenizer)
        assert result.exit_code == 2
        assert "one vocabulary for both languages" in result.output
        assert not out.exists()


def test_bad_input_is_named_without_a_traceback(tmp_path: Path, words: Path) -> None:
    tokenizer = wordpiece(tmp_path / "tok", *PIECES)
    (tmp_path / "latin").write_bytes(b"caf\xe9 Kaffee\n")
    nowhere = tmp_path / "no" / "ids.tsv"
    for arguments, said in (
        ((tmp_path / "none", "--out", "x"), "none cannot be read: No such file"),
        ((tmp_path / "latin", "--out", "x"), "latin, line 1: not UTF-8"),
        ((words, "--out", nowhere), "ids.tsv cannot be written: No such file"),
    ):
        result = run(*arguments, "--source-tokenizer", tokenizer)
        assert result.exit_code == 2
        assert said in result.output
        assert "Traceback" not in result.output
