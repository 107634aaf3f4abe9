"""``maskplug show``: which strategy, which text, and what contradicts each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from maskplug.cli import main

WORDS = "one two three four"


def show(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["show", *arguments], env={"COLUMNS": "200"})


@pytest.mark.parametrize("name", ["span", "span@1"])
def test_the_strategy_is_an_argument_or_an_option(name: str) -> None:
    result = show(name)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("span@1 ")
    assert result.output == show("--strategy", name).output


def test_dynamic_is_shown_without_a_name() -> None:
    assert show().output == show("dynamic").output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["span", "--strategy", "span"], "NAME and --strategy contradict"),
        (["--strategy", "dynamic", "span"], "NAME and --strategy contradict"),
        (["--text", WORDS, "--ids", "5"], "--text and --ids contradict"),
        (["--epoch", "0", "--epochs", "3"], "contradict"),
        (["--text", ""], "nothing to mask"),
        (["--text", " \t"], "nothing to mask"),
        (["--ids", ""], "nothing to mask"),
        (["--ids", " , "], "nothing to mask"),
        (["--epochs", "-1"], "-1 is not in the range"),
        (["--epochs", "0"], "0 is not in the range"),
        (["--step", "-1"], "-1 is not in the range"),
        (["--progress", "1.1"], "1.1 is not in the range"),
        (["--key", "18446744073709551616"], "from 0 to 2**64 - 1"),
        (["--layers", '{"keys": [1]}'], "no layer is called 'keys'"),
        (["--text", WORDS, "--layers", '{"protected": ["a", 1, 1, 1]}'], "a list of numbers"),
        (["--text", WORDS, "--layers", '{"protected": [null, 1, 1, 1]}'], "a list of numbers"),
        (["--text", WORDS, "--layers", '{"protected": [[1], [1], [1], [1]]}'], "list of numbers"),
    ],
)
def test_what_cannot_be_shown_is_refused_without_output(arguments: list[str], said: str) -> None:
    result = show(*arguments)
    assert result.exit_code == 2
    assert said in result.output
    assert "epoch 0" not in result.output


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no/folder/a.svg", "cannot be written: No such file or directory: no/folder"),
        ("text.txt/a.svg", "cannot be written: Not a directory"),
        ("a.svg", "cannot be written: Is a directory"),
        ("a.txt", "its name ends with .svg or .html"),
        ("", "its name ends with .svg or .html"),
        ("svg", "its name ends with .svg or .html"),
    ],
)
def test_the_file_is_checked_before_anything_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.svg").mkdir()
    (tmp_path / "text.txt").touch()
    result = show("--out", name)
    assert result.exit_code == 2
    assert said in result.output
    assert "epoch 0" not in result.output


def test_an_ending_in_capitals_is_an_ending(tmp_path: Path) -> None:
    assert show("--out", str(tmp_path / "A.SVG")).exit_code == 0
    assert (tmp_path / "A.SVG").read_text().startswith("<svg")
