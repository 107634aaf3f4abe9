"""What the spelling of pieces tells, and what one odd piece does not."""

from __future__ import annotations

import io

import numpy as np
import pytest
import sentencepiece

import maskplug
from maskplug import Vocabulary
from maskplug.vocabulary.spelling import MARK, Spelling, plain, sentinels, spelling_of
from support.batches import batch

WORDS = [f"word{i}" for i in range(3000)]
SUBWORDS = {
    "##": [f"w{i}" if i % 4 else f"##w{i}" for i in range(400)],
    "@@": [f"w{i}" if i % 4 else f"w{i}@@" for i in range(400)],
    "</w>": [f"w{i}" if i % 4 else f"w{i}</w>" for i in range(400)],
    "▁": [f"w{i}" if i % 4 else f"▁w{i}" for i in range(400)],
    "Ġ": [f"w{i}" if i % 4 else f"Ġw{i}" for i in range(400)],
    " ": [f"w{i}" if i % 4 else f" w{i}" for i in range(400)],
}
ODD = ["▁▁▁", "▁", "Ġ", "Ġunju", "ĠĠ", "▁a", "##", "##x", "x@@", "@@", "</w>", "x</w>", " ", " x"]


def share(vocab: Vocabulary, rows: list[list[int]]) -> float:
    masked = maskplug.strategy("whole_word", rate=0.15)(batch(rows), vocab, seed=1)
    return float(masked.selection.mask.mean())


@pytest.mark.parametrize("odd", ODD)
def test_single_marked_piece_is_ignored(odd: str) -> None:
    vocab = Vocabulary.from_pieces(["<mask>", *WORDS, odd], mask_id=0)
    assert vocab.word_mark == ""
    rows = np.random.default_rng(0).integers(1, vocab.size, (20, 100)).tolist()
    assert vocab.word_starts(batch(rows)).all()
    assert share(vocab, rows) == pytest.approx(0.15)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("mark", SUBWORDS)
def test_single_odd_piece_does_not_change_the_convention(mark: str, odd: str) -> None:
    assert spelling_of([*SUBWORDS[mark], odd]).mark == mark


@pytest.mark.parametrize("blank", [True, False])
@pytest.mark.parametrize("odd", ["", *ODD])
def test_vocabularies_of_characters(odd: str, blank: bool) -> None:
    text = "Ġunju huwa xahar sabiħ ħafna u n-nies joħorġu jiġru l-baħar " * 3
    text = text if blank else text.replace(" ", "")
    chars = sorted({*text, *"abcdefghijklmnopqrstuvwxyzĠġżħċ"})
    odd = "" if odd in chars or (odd == " " and not blank) else odd
    vocab = Vocabulary.from_pieces(["<mask>", *chars, *([odd] if odd else [])], mask_id=0)
    rows = [[1 + chars.index(char) for char in text]] * 100
    assert vocab.word_starts(batch(rows[:1])).sum() == (text.count(" ") + 1 if blank else len(text))
    assert share(vocab, rows) == pytest.approx(0.15, abs=0.02)


def test_maltese_is_not_detected_as_byte_level() -> None:
    words = [f"{a}{b}ż" for a in "ĠABC" for b in "abcdefgh"]
    assert spelling_of(words).mark == ""


@pytest.mark.parametrize(
    ("mark", "piece", "bare"),
    [
        ("", "Ġunju", "Ġunju"),
        ("▁", "▁Ġunju", "Ġunju"),
        ("Ġ", "Ġnew", "new"),
        ("##", "##er", "er"),
        ("##", "▁a", "▁a"),
        ("@@", "low@@", "low"),
        ("</w>", "er</w>", "er"),
        (None, "Ġnew", "new"),
    ],
)
def test_plain_removes_only_the_mark_of_the_vocabulary(
    mark: str | None, piece: str, bare: str
) -> None:
    assert plain(piece, mark) == bare


@pytest.mark.parametrize("wrap", ["{}", "▁{}", "Ġ{}", "##{}", "{}@@", "{}</w>"])
@pytest.mark.parametrize("name", ["<extra_id_{}>", "<sentinel:{}>", "<sentinel_{}>"])
def test_sentinels_with_word_marks_are_ordered_by_number(wrap: str, name: str) -> None:
    pieces = [wrap.format(name.format(number)) for number in (2, 10, 0, 1)]
    assert sentinels(enumerate(pieces)) == [2, 3, 0, 1]
    assert all(MARK.fullmatch(piece) for piece in pieces)


def test_shorter_spelling_of_a_sentinel_is_used() -> None:
    assert sentinels(enumerate(["<extra_id_0>", "▁<extra_id_0>"])) == [0]
    assert sentinels(enumerate(["▁<extra_id_0>", "<extra_id_0>"])) == [1]


@pytest.mark.parametrize("text", ["<0x0A>", "<0xE4>", "<0xff>", "<", "[1]", "a<b>"])
def test_ordinary_text_is_not_special(text: str) -> None:
    assert not MARK.fullmatch(text)


BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


@pytest.mark.parametrize("mark", ["▁", "@@", "##", ""])
def test_a_character_of_several_byte_pieces_is_one_word(mark: str) -> None:
    marked = SUBWORDS.get(mark, WORDS)
    vocab = Vocabulary.from_pieces([*BYTES, *marked])
    assert vocab.word_mark == mark
    row = [*"我们".encode(), 10, 10, *"é".encode()]
    starts = vocab.word_starts(batch([row])).tolist()
    assert starts[:7] == [True, False, False, True, False, False, True]
    assert starts[8:] == [True, False]
    assert not vocab.special.any()


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_sentencepiece_with_byte_fallback(kind: str) -> None:
    text = ["the quick brown fox jumps over the lazy dog", "words of a text and more words"] * 9
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text),
        model_writer=model,
        model_type=kind,
        vocab_size=310,
        byte_fallback=True,
        hard_vocab_limit=False,
        user_defined_symbols=["<mask>", "▁<extra_id_0>"],
        minloglevel=2,
    )
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    vocab = Vocabulary.from_sentencepiece(processor)
    named = {"<unk>", "<s>", "</s>", "<mask>", "▁<extra_id_0>"}
    assert {processor.id_to_piece(i) for i in vocab.special.nonzero()[0].tolist()} == named
    assert vocab.sentinel_ids.tolist() == [processor.piece_to_id("▁<extra_id_0>")]
    rows = [processor.encode("the 我们 fox\nover the 狗 dog")] * 200
    words = maskplug.units(batch(rows[:1]), vocab, "word")
    texts = [
        processor.decode(rows[0][a : a + n])
        for a, n in zip(words.starts.tolist(), words.lengths.tolist(), strict=True)
    ]
    assert "\ufffd" not in "".join(texts)
    assert " ".join(filter(None, texts)) == "the 我 们 fox over the 狗 dog"
    assert share(vocab, rows) == pytest.approx(0.15, abs=0.02)


@pytest.mark.parametrize(
    ("spelling", "pieces"),
    [
        (Spelling("▁"), ["▁.", "。", "▁?"]),
        (Spelling("Ġ", "byte-level"), ["Ġ.", "ãĢĤ", "?!"]),
        (Spelling("##"), [".", "##.", "…"]),
        (Spelling("@@"), [".@@", "?", "!"]),
    ],
)
def test_sentence_ends_in_all_spellings(spelling: Spelling, pieces: list[str]) -> None:
    assert spelling.sentence_ends([*pieces, "a", "", ".a"]).tolist() == [True] * 3 + [False] * 3
