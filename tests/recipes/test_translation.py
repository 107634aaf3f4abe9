"""The translation recipe: bad files are named, and a small run ends with equal masks."""

import gzip
import subprocess
import sys
from pathlib import Path

import click
import pytest

from recipes.translation import corpus

ROOT = Path(__file__).parents[2]


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def test_plain_and_compressed_files_read_alike(tmp_path: Path) -> None:
    data = "eins\nzwei\u2028drei\r\nvier".encode()
    plain, packed = write(tmp_path / "a.de", data), write(tmp_path / "a.de.gz", data)
    assert corpus.lines(plain) == corpus.lines(packed) == ["eins", "zwei\u2028drei", "vier"]


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        (b"a\nb\n", b"x\n", r"a\.en has 2 lines and .*a\.de has 1"),
        (b"a\n \n", b"x\ny\n", r"a\.en, line 2: empty"),
        (b"a\nb\n", b"x\n\n", r"a\.de, line 2: empty"),
        (b"a\nb\n", b"x\n\xff\n", r"a\.de, line 2: not UTF-8"),
    ],
)
def test_bad_files_are_named_with_their_line(
    tmp_path: Path, source: bytes, target: bytes, said: str
) -> None:
    pair = write(tmp_path / "a.en", source), write(tmp_path / "a.de", target)
    with pytest.raises(click.ClickException, match=said):
        corpus.read_split(*pair)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(click.ClickException, match="no such file"):
        corpus.lines(tmp_path / "nowhere.en")


def test_the_sample_is_whole() -> None:
    splits = {name: corpus.read_split(*pair) for name, pair in corpus.sample().items()}
    assert [len(splits[name]) for name in corpus.SPLITS] == [4400, 300, 300]


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "recipes.translation.demo", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_small_run_from_files_ends_with_the_same_masks(tmp_path: Path) -> None:
    arguments = []
    for name, size in (("train", 120), ("valid", 20), ("test", 10)):
        arguments.append(f"--{name}")
        for packed in corpus.sample()[name]:
            rows = corpus.lines(packed)[:size]
            arguments.append(
                str(write(tmp_path / f"{name}{packed.suffixes[0]}", "\n".join(rows).encode()))
            )
    options = ["--vocab-size", "300", "--strategy", "span", "--out", str(tmp_path / "run")]
    done = demo(*arguments, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "360 of 360" in done.stdout
    assert done.stdout.count("BLEU") == 2


def test_a_wrong_strategy_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    done = demo("--strategy", "spam", "--out", str(tmp_path / "run"))
    assert done.returncode == 1
    assert "did you mean 'span'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()
