"""Build all corpora with a fake apt-get: files, rows, the folder of apt, and errors."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result

from recipes.corpora.apt import fetch
from recipes.corpora.splitting import split_of
from recipes.shared.corpora import in_folder
from recipes.shared.rows import SPLITS, read
from support.debian_archive import COUNT, build, is_translated, name, write_archive


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the apt-get that is first on the path."""
    folder = write_archive(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """Build all corpora; return their folder and the output of the program."""
    folder = tmp_path_factory.mktemp("corpora")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PATH", f"{write_archive(folder / 'bin')}{os.pathsep}{os.environ['PATH']}")
        result = build(folder / "out")
    assert result.exit_code == 0, result.output
    return folder / "out", result.output


def rows_of(out: Path, corpus: str, split: str) -> list[tuple[str, ...]]:
    table = read(in_folder(out, corpus)[split], ["one", "two"])
    assert not table.problems
    return [*zip(table.columns["one"], table.columns["two"], strict=True)]


def test_all_corpora_and_splits_are_written(built: tuple[Path, str]) -> None:
    out, output = built
    names = ["classification.en", "summarization.en", "translation.en-de"]
    files = sorted(path.name for path in out.glob("*.gz"))
    assert files == sorted(f"{name}.{split}.tsv.gz" for name in names for split in SPLITS)
    for corpus in names:
        counts = [f"{len(rows_of(out, corpus, split)):,}" for split in SPLITS]
        (line,) = (line for line in output.splitlines() if f"│ {corpus}" in line)
        assert [cell.strip() for cell in line.strip("│").split("│")] == [corpus, *counts]


def test_rows_are_in_the_split_of_their_source(built: tuple[Path, str]) -> None:
    for split in SPLITS:
        sources = [name(number) for number in range(COUNT) if split_of(name(number)) == split]
        synopses = [synopsis for _, synopsis in rows_of(built[0], "summarization.en", split)]
        assert sorted(synopses) == sorted(f"shared library of {word}" for word in sources)
        assert split != "train" or len(synopses) > 200


def test_translation_rows_pair_equal_paragraphs(built: tuple[Path, str]) -> None:
    rows = {row for split in SPLITS for row in rows_of(built[0], "translation.en-de", split)}
    numbers = [n for n in range(COUNT) if split_of(name(n)) and is_translated(n)]
    expected = {(f"shared library of {name(n)}", f"Bibliothek für {name(n)}") for n in numbers}
    for word in (name(number) for number in numbers if number % 3 != 1):
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
    assert rows == expected


def test_classes_are_common_sections(built: tuple[Path, str]) -> None:
    rows = rows_of(built[0], "classification.en", "train")
    assert {section for _, section in rows} == {"libs"}
    assert all(text.startswith("shared library of ") and ". Lib" in text for text, _ in rows)


def test_equal_indices_give_equal_bytes(built: tuple[Path, str], apt: Path, tmp_path: Path) -> None:
    build(tmp_path / "again")
    for path in built[0].glob("*.gz"):
        data = path.read_bytes()
        assert data == (tmp_path / "again" / path.name).read_bytes()
        assert data[4:8] == bytes(4)  # no timestamp
        assert gzip.decompress(data).count(b"\n") == gzip.decompress(data).count(b"\t")


def test_apt_only_writes_to_its_folder(apt: Path, tmp_path: Path) -> None:
    build(tmp_path / "out", "de,de")
    folder = tmp_path / "out" / "apt"
    configuration = (folder / "apt.conf").read_text()
    assert '#clear Acquire::Languages;\nAcquire::Languages { "en"; "de"; };' in configuration
    for arguments in (apt / "arguments").read_text().splitlines():
        assert f"-c{folder / 'apt.conf'}" in arguments
        for option, place in (("state", "state"), ("state::lists", "lists"), ("cache", "cache")):
            assert f"-oDir::{option}={folder / place}" in arguments
            assert (folder / place).is_dir()


def test_progress_is_reported_in_any_language(apt: Path, tmp_path: Path) -> None:
    (apt / "output").write_text(
        "Holen:1 http://mirror stable InRelease [151 kB]\n"
        "Get:2 http://mirror stable/main amd64 Packages [8790 kB]\nReading package lists...\n"
    )
    notes: list[str] = []
    indices = fetch(tmp_path / "apt", ["en", "de"], lambda done, total, note: notes.append(note))
    assert notes == ["stable InRelease", "stable/main amd64 Packages"]
    assert [index.language for index in indices] == ["", "en", "de"]


# --- errors name their cause and have no traceback -----------------------------------------------


def error_of(result: Result) -> str:
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    return result.output


def test_missing_apt_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt-get is missing" in error_of(build(tmp_path / "out"))


def test_a_failing_update_is_quoted(apt: Path, tmp_path: Path) -> None:
    (apt / "status").write_text("100")
    (apt / "output").write_text("".join(f"line {n}\n" for n in range(40)) + "E: no such host\n")
    message = error_of(build(tmp_path / "out"))
    assert "apt-get failed" in message
    assert "line 26\n" in message
    assert "line 25\n" not in message
    assert "E: no such host" in message


@pytest.mark.parametrize(
    ("removed", "languages", "message"),
    [
        ("Packages", "de", "index Packages"),
        ("\ten\t", "de", "index Translation-en"),
        ("none", "de,eo", "index Translation-eo of Debian or Ubuntu (main, universe)"),
    ],
)
def test_a_missing_index_is_an_error(
    apt: Path, tmp_path: Path, removed: str, languages: str, message: str
) -> None:
    lines = (apt / "targets").read_text().splitlines(keepends=True)
    (apt / "targets").write_text("".join(line for line in lines if removed not in line))
    output = error_of(build(tmp_path / "out", languages))
    assert f"apt has no {message}" in output
    assert "W: Some index files failed to download." in output


@pytest.mark.parametrize("code", ["en", "", "de;", "German", '"'])
def test_an_invalid_language_is_an_error(tmp_path: Path, code: str) -> None:
    output = error_of(build(tmp_path / "out", f"fr,{code}"))
    assert f"--languages: {code!r} is not a target language" in output
    assert not (tmp_path / "out").exists()


def test_a_file_as_output_folder_is_an_error(apt: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    assert str(tmp_path / "out") in error_of(build(tmp_path / "out"))
