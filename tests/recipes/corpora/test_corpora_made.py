"""Build all corpora with a fake apt: files, rows, and the folder of apt."""

from __future__ import annotations

import gzip
from pathlib import Path

from recipes.corpora.apt import fetch
from recipes.corpora.splitting import split_of
from recipes.shared.corpora import in_folder
from recipes.shared.rows import SPLITS, read
from support.debian_archive import COUNT, make, name


def rows_of(out: Path, corpus: str, split: str) -> list[tuple[str, ...]]:
    table = read(in_folder(out, corpus)[split], ["one", "two"])
    assert not table.problems
    return [*zip(table.columns["one"], table.columns["two"], strict=True)]


def test_all_corpora_and_splits_are_written(apt: Path, tmp_path: Path) -> None:
    result = make(tmp_path / "out")
    assert result.exit_code == 0, result.output
    names = ["classification.en", "summarization.en", "translation.en-de"]
    files = sorted(path.name for path in (tmp_path / "out").glob("*.gz"))
    assert files == sorted(f"{name}.{split}.tsv.gz" for name in names for split in SPLITS)
    for corpus in names:
        counts = [f"{len(rows_of(tmp_path / 'out', corpus, split)):,}" for split in SPLITS]
        (line,) = (line for line in result.output.splitlines() if f"│ {corpus}" in line)
        assert [cell.strip() for cell in line.strip("│").split("│")] == [corpus, *counts]


def test_rows_are_in_the_split_of_their_source(apt: Path, tmp_path: Path) -> None:
    make(tmp_path)
    for split in SPLITS:
        there = [name(number) for number in range(COUNT) if split_of(name(number)) == split]
        actual = rows_of(tmp_path, "summarization.en", split)
        assert sorted(synopsis for _, synopsis in actual) == sorted(
            f"shared library of {word}" for word in there
        )
    assert len(rows_of(tmp_path, "summarization.en", "train")) > 200


def test_translation_rows_pair_equal_paragraphs(apt: Path, tmp_path: Path) -> None:
    make(tmp_path)
    actual = {row for split in SPLITS for row in rows_of(tmp_path, "translation.en-de", split)}
    seen = [number for number in range(COUNT) if split_of(name(number))]
    both = [number for number in seen if number % 2 == 0 or number % 6 == 1]
    expected = {(f"shared library of {name(n)}", f"Bibliothek für {name(n)}") for n in both}
    for word in (name(number) for number in both if number % 3 != 1):
        expected |= {
            (
                f"Lib{word} gives programs what they need to read {word} files, and to write them.",
                f"Mit lib{word} lesen und schreiben Programme die Dateien, die {word} heißen.",
            ),
            (
                f"This package has the files of {word} that programs need while they run, no more.",
                "Dieses Paket enthält alles, was Programme brauchen, während sie laufen.",
            ),
        }
    assert actual == expected


def test_classes_are_common_sections(apt: Path, tmp_path: Path) -> None:
    make(tmp_path)
    actual = rows_of(tmp_path, "classification.en", "train")
    assert {section for _, section in actual} == {"libs"}
    assert all(text.startswith("shared library of ") and ". Lib" in text for text, _ in actual)


def test_equal_indices_give_equal_bytes(apt: Path, tmp_path: Path) -> None:
    make(tmp_path / "one")
    make(tmp_path / "two")
    for path in (tmp_path / "one").glob("*.gz"):
        data = path.read_bytes()
        assert data == (tmp_path / "two" / path.name).read_bytes()
        assert data[4:8] == bytes(4)  # no timestamp
        assert gzip.decompress(data).count(b"\n") == gzip.decompress(data).count(b"\t")


def test_apt_only_writes_to_its_folder(apt: Path, tmp_path: Path) -> None:
    make(tmp_path / "out", "de,de")
    folder = tmp_path / "out" / "apt"
    configuration = (folder / "apt.conf").read_text()
    assert '#clear Acquire::Languages;\nAcquire::Languages { "en"; "de"; };' in configuration
    for arguments in (apt / "arguments").read_text().splitlines():
        assert f"-c{folder / 'apt.conf'}" in arguments
        for option, place in {
            "state": "state",
            "state::lists": "lists",
            "cache": "cache",
        }.items():
            assert f"-oDir::{option}={folder / place}" in arguments
            assert (folder / place).is_dir()


def test_progress_is_reported_in_any_language(apt: Path, tmp_path: Path) -> None:
    (apt / "output").write_text(
        "Holen:1 http://mirror stable InRelease [151 kB]\n"
        "Get:2 http://mirror stable/main amd64 Packages [8790 kB]\nReading package lists...\n"
    )
    calls: list[str] = []
    actual = fetch(tmp_path / "apt", ["en", "de"], lambda done, total, note: calls.append(note))
    assert calls == ["stable InRelease", "stable/main amd64 Packages"]
    assert [index.language for index in actual] == ["", "en", "de"]
