"""``maskplug ngrams``: write a list of n-grams for the strategy ``pmi``."""

from __future__ import annotations

from pathlib import Path

import pytest

import maskplug
from maskplug.cli.tokenizers import read
from support.commands import refused, succeeded

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


def command(folder: Path, *options: object, corpus: str = "one.txt two.txt") -> tuple[object, ...]:
    files = [folder / name for name in corpus.split()]
    output = ("--tokenizer", folder / "dict.txt", "--out", folder / "out.txt")
    return ("ngrams", *files, *output, *options)


def entries(folder: Path) -> list[list[str]]:
    piece = read(str(folder / "dict.txt"), "").piece
    lines = (folder / "out.txt").read_text().splitlines()
    return [[piece(int(i)) for i in line.split("\t")[0].split()] for line in lines]


def test_ngrams_of_two_files(folder: Path) -> None:
    output = succeeded(*command(folder, "--min-count", 6, "--max-n", 3))
    ngrams = entries(folder)
    assert f"wrote {len(ngrams)} n-grams to" in output
    assert f"{sum(len(entry) == 2 for entry in ngrams)} of 2 words" in output
    assert ["new", "york"] in ngrams
    assert ["town", "new"] not in ngrams  # not across lines
    strategy = maskplug.strategy("pmi", ngrams=folder / "out.txt", rate=0.3)
    vocab = read(str(folder / "dict.txt"), "").vocab
    tokens = maskplug.TokenBatch.from_lists([read(str(folder / "dict.txt"), "").encode(LINES[0])])
    assert len(strategy(tokens, vocab).selection.starts) > 0


def test_long_paths_are_not_wrapped(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / ("[red] " + "long" * 30 + ".txt")
    output = succeeded(*command(folder, "--min-count", 6, "--out", out))
    assert f"n-grams to {out}: " in output


def test_size_limits_the_list(folder: Path) -> None:
    succeeded(*command(folder, "--min-count", 6, "--size", 4))
    assert sorted(map(len, entries(folder))) in ([2, 2, 3], [2, 2, 3, 4], [2, 2, 3, 5])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--min-count", "99"), "no two words occur together 99 times in these files; lower --min"),
        (("--max-n", "1"), "'max_n' is 1; it must be at least 2"),
    ],
)
def test_invalid_options(folder: Path, options: tuple[str, ...], message: str) -> None:
    assert message in refused(*command(folder, *options))
    assert not (folder / "out.txt").exists()


def test_invalid_files(folder: Path) -> None:
    (folder / "latin.txt").write_bytes(b"caf\xc3\xa9\ncaf\xe9\n")
    assert "latin.txt, line 2: not UTF-8" in refused(*command(folder, corpus="latin.txt"))
    assert "does not exist" in refused(*command(folder, corpus="nowhere.txt"))
