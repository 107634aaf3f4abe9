"""SentencePiece: one order of ids for the model, the dictionary and both tokenizers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recipes.shared import pieces
from recipes.shared.errors import RecipeError
from recipes.shared.workspace import Workspace
from support.recipe_cases import pairs

#: What SentencePiece rewrites, what it does not know, and what looks like its own symbols.
STRANGE = [
    "½ ﬁ ① … ª ﾌﾟ Ⅷ Å",
    "a\u200bb \u00adc \ufeffd",
    "漢字 😀 mixed漢字up",
    "e\u0301 A\u0308",
    "<s > < pad> a b",
    "'t “q” «x» — 1,000.5",
]
TEXTS = st.text(
    "abc dïé,.-'½ﬁ①…ªﾌﾟÅ\u200b\u00a0漢字😀" + "".join(map(chr, range(0x20, 0x250))), min_size=1
)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """300 pieces of the shipped sample."""
    made = Workspace(tmp_path_factory.mktemp("pieces"))
    pieces.train(made, [text for pair in pairs(200) for text in pair], 300)
    return made


@pytest.fixture(scope="module")
def tokenizers(work: Workspace) -> dict[str, Any]:
    """Both kinds, saved and loaded again."""
    found = {}
    for family in ("marian", "bart"):
        folder = Workspace(work.root / family)
        folder.root.mkdir()
        folder.pieces.write_bytes(work.pieces.read_bytes())
        pieces.save_tokenizer(folder, family)
        found[family] = pieces.load_tokenizer(folder, family)
    return found


def ids(work: Workspace, text: str) -> list[int]:
    """What the rows of a recipe hold of a text."""
    numbers = {symbol: i for i, symbol in enumerate(pieces.symbols(work))}
    found = pieces.processor(work).encode(" ".join(text.split()), out_type=str)
    return [numbers.get(piece, numbers["<unk>"]) for piece in found]


def test_special_symbols_come_first_and_every_piece_is_there_once(work: Workspace) -> None:
    symbols = pieces.symbols(work)
    assert symbols[:5] == ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    assert len(set(symbols)) == len(symbols) == 301  # SentencePiece has no <pad> of its own
    assert not any(set(symbol) & set(" \t\n") for symbol in symbols)


def test_the_dictionary_has_the_order_of_the_ids(work: Workspace) -> None:
    rows = [line.rsplit(" ", 1) for line in work.dictionary.read_text("utf-8").splitlines()]
    assert [*pieces.SPECIAL, *(piece for piece, _ in rows)] == pieces.symbols(work)
    counts = [int(count) for _, count in rows]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == 1


def test_the_same_texts_make_the_same_pieces(work: Workspace, tmp_path: Path) -> None:
    again = Workspace(tmp_path)
    pieces.train(again, [text for pair in pairs(200) for text in pair], 300)
    assert pieces.symbols(again) == pieces.symbols(work)
    assert again.dictionary.read_bytes() == work.dictionary.read_bytes()


@pytest.mark.parametrize("family", ["marian", "bart"])
def test_tokenizers_have_the_ids_of_the_dictionary(
    work: Workspace, tokenizers: dict[str, Any], family: str
) -> None:
    tokenizer, symbols = tokenizers[family], pieces.symbols(work)
    assert len(tokenizer) == len(symbols)
    assert tokenizer.convert_ids_to_tokens(range(len(symbols))) == symbols
    assert tokenizer.pad_token_id == 1
    assert tokenizer.eos_token_id == 2
    assert tokenizer.unk_token_id == 3
    assert tokenizer.mask_token_id == 4


def frame(family: str, row: list[int]) -> list[int]:
    return [*row, 2] if family == "marian" else [0, *row, 2]


@pytest.mark.parametrize("text", STRANGE)
@pytest.mark.parametrize("family", ["marian", "bart"])
def test_tokenizers_cut_strange_texts_as_the_rows_are_cut(
    work: Workspace, tokenizers: dict[str, Any], family: str, text: str
) -> None:
    assert tokenizers[family](text)["input_ids"] == frame(family, ids(work, text))


@given(TEXTS)
@pytest.mark.parametrize("family", ["marian", "bart"])
def test_tokenizers_cut_all_texts_as_the_rows_are_cut(
    work: Workspace, tokenizers: dict[str, Any], family: str, text: str
) -> None:
    row = ids(work, text)
    assume(row)
    assert tokenizers[family](text)["input_ids"] == frame(family, row)


@pytest.mark.parametrize("family", ["marian", "bart"])
def test_tokenizers_give_the_text_back(
    work: Workspace, tokenizers: dict[str, Any], family: str
) -> None:
    for text in ("a small package", "Das Paket"):
        row = tokenizers[family](text)["input_ids"]
        assert tokenizers[family].decode(row, skip_special_tokens=True).strip() == text


@pytest.mark.parametrize(
    ("texts", "size", "said"),
    [
        (["a b c"] * 3, 5000, "Vocabulary size too high"),
        ([text for pair in pairs(100) for text in pair], 10, "smaller than required"),
    ],
)
def test_a_size_that_cannot_be_is_named(
    tmp_path: Path, texts: list[str], size: int, said: str
) -> None:
    with pytest.raises(RecipeError, match=rf"SentencePiece with {size} pieces: .*{said}"):
        pieces.train(Workspace(tmp_path), texts, size)
