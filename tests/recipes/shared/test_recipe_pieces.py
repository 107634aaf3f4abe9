"""SentencePiece, the dictionary and both tokenizers have the same ids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from recipes.shared import pieces
from recipes.shared.errors import RecipeError
from recipes.shared.workspace import Workspace
from support.recipe_cases import pairs

#: Without U+0085, which is whitespace for Python but not for SentencePiece: rows are split at
#: whitespace before they reach a tokenizer.
TEXTS = st.text(
    "abc dïé,.-'½ﬁ①…ªﾌﾟÅ\u200b\u00a0漢字😀"
    + "".join(chr(i) for i in range(0x20, 0x250) if i != 0x85),
    min_size=1,
)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Train 300 pieces on the shipped sample."""
    workspace = Workspace(tmp_path_factory.mktemp("pieces"))
    pieces.train(workspace, [text for pair in pairs(200) for text in pair], 300)
    return workspace


@pytest.fixture(scope="module")
def tokenizers(work: Workspace) -> dict[str, Any]:
    """Save and load both kinds of tokenizers."""
    loaded = {}
    for family in ("marian", "bart"):
        folder = Workspace(work.root / family)
        folder.root.mkdir()
        folder.pieces.write_bytes(work.pieces.read_bytes())
        pieces.save_tokenizer(folder, family)
        loaded[family] = pieces.load_tokenizer(folder, family)
    return loaded


def ids(work: Workspace, text: str) -> list[int]:
    """Return the ids of a text in the rows of a recipe."""
    numbers = {symbol: i for i, symbol in enumerate(pieces.symbols(work))}
    row = pieces.processor(work).encode(" ".join(text.split()), out_type=str)
    return [numbers.get(piece, numbers["<unk>"]) for piece in row]


def test_symbols_start_with_the_special_ones_and_are_unique(work: Workspace) -> None:
    symbols = pieces.symbols(work)
    assert symbols[:5] == ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    assert len(set(symbols)) == len(symbols) == 301  # SentencePiece itself has no <pad>
    assert not any(set(symbol) & set(" \t\n") for symbol in symbols)


def test_dictionary_is_in_the_order_of_ids(work: Workspace) -> None:
    rows = [line.rsplit(" ", 1) for line in work.dictionary.read_text("utf-8").splitlines()]
    assert [*pieces.SPECIAL, *(piece for piece, _ in rows)] == pieces.symbols(work)
    counts = [int(count) for _, count in rows]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == 1


def test_equal_texts_give_equal_pieces(work: Workspace, tmp_path: Path) -> None:
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


@given(TEXTS)
# SentencePiece rewrites these or does not know them, or they look like its own symbols.
@example("½ ﬁ ① … ª ﾌﾟ Ⅷ Å")
@example("a\u200bb \u00adc \ufeffd")
@example("漢字 😀 mixed漢字up")
@example("e\u0301 A\u0308")
@example("<s > < pad> a b")
@example("'t “q” «x» — 1,000.5")
@pytest.mark.parametrize("family", ["marian", "bart"])
def test_tokenizers_split_any_text_like_the_rows(
    work: Workspace, tokenizers: dict[str, Any], family: str, text: str
) -> None:
    row = ids(work, text)
    assume(row)
    assert tokenizers[family](text)["input_ids"] == frame(family, row)


@pytest.mark.parametrize("family", ["marian", "bart"])
def test_tokenizers_decode_to_the_original_text(
    work: Workspace, tokenizers: dict[str, Any], family: str
) -> None:
    for text in ("a small package", "Das Paket"):
        row = tokenizers[family](text)["input_ids"]
        assert tokenizers[family].decode(row, skip_special_tokens=True).strip() == text


@pytest.mark.parametrize(
    ("texts", "size", "message"),
    [
        (["a b c"] * 3, 5000, "Vocabulary size too high"),
        ([text for pair in pairs(100) for text in pair], 10, "smaller than required"),
    ],
)
def test_an_impossible_vocabulary_size_is_an_error(
    tmp_path: Path, texts: list[str], size: int, message: str
) -> None:
    with pytest.raises(RecipeError, match=rf"SentencePiece with {size} pieces: .*{message}"):
        pieces.train(Workspace(tmp_path), texts, size)
