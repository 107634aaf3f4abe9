"""``maskplug ngrams``: from text files to a list that the strategy ``pmi`` reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import maskplug
from maskplug.cli import main
from maskplug.cli.tokenizers import read

LINES = [
    "new york is a large town",
    "old york is a small town",
    "the old town is in new york",
    "a small town in old new york",
] * 6
DICTIONARY = "\n".join(f"{word} 9" for word in sorted({w for line in LINES for w in line.split()}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "dict.txt").write_text(f"{DICTIONARY}\n")
    (tmp_path / "one.txt").write_text("\n".join(LINES[:12]) + "\n")
    (tmp_path / "two.txt").write_text("\n".join(LINES[12:]) + "\n\n")
    return tmp_path


def run(folder: Path, *arguments: str, corpus: tuple[str, ...] = ("one.txt", "two.txt")) -> Any:
    files = [str(folder / name) for name in corpus]
    where = ["--tokenizer", str(folder / "dict.txt"), "--out", str(folder / "out.txt")]
    return CliRunner().invoke(main, ["ngrams", *files, *where, *arguments], env={"COLUMNS": "200"})


def entries(folder: Path) -> list[list[str]]:
    piece = read(str(folder / "dict.txt"), "").piece
    lines = (folder / "out.txt").read_text().splitlines()
    return [[piece(int(i)) for i in line.split("\t")[0].split()] for line in lines]


def test_a_list_of_two_files(folder: Path) -> None:
    result = run(folder, "--min-count", "6", "--max-n", "3")
    assert result.exit_code == 0, result.output
    found = entries(folder)
    assert f"wrote {len(found)} n-grams to" in result.output
    assert f"{sum(len(entry) == 2 for entry in found)} of 2 words" in result.output
    assert ["new", "york"] in found
    assert ["town", "new"] not in found  # never over the end of a line
    strategy = maskplug.strategy("pmi", ngrams=folder / "out.txt", rate=0.3)
    vocab = read(str(folder / "dict.txt"), "").vocab
    tokens = maskplug.TokenBatch.from_lists([read(str(folder / "dict.txt"), "").encode(LINES[0])])
    assert len(strategy(tokens, vocab).selection.starts) > 0


def test_a_path_stays_in_one_piece(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / ("[red] " + "long" * 30 + ".txt")
    result = run(folder, "--min-count", "6", "--out", str(out))
    assert f"n-grams to {out}: " in result.output


def test_size_bounds_the_list(folder: Path) -> None:
    assert run(folder, "--min-count", "6", "--size", "4").exit_code == 0
    assert sorted(map(len, entries(folder))) in ([2, 2, 3], [2, 2, 3, 4], [2, 2, 3, 5])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--min-count", "99"), "no two words occur together 99 times in these files; lower --min"),
        (("--max-n", "1"), "'max_n' is 1; it must be at least 2"),
    ],
)
def test_bad_options(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    result = run(folder, *arguments)
    assert result.exit_code == 2
    assert said in result.output
    assert "Traceback" not in result.output
    assert not (folder / "out.txt").exists()


def test_bad_files(folder: Path) -> None:
    (folder / "latin.txt").write_bytes(b"caf\xc3\xa9\ncaf\xe9\n")
    result = run(folder, corpus=("latin.txt",))
    assert result.exit_code == 2
    assert "latin.txt, line 2: not UTF-8" in result.output
    assert "does not exist" in run(folder, corpus=("nowhere.txt",)).output
