"""Invalid values of every parameter of every command: one message, never a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from maskplug.cli import main
from maskplug.cli.parameters import OutFile

DIGITS = "9" * 5000  # more than int() takes
VALUES = {
    "empty": "",
    "blank": " ",
    "negative": "-1",
    "beyond 64 bits": "99999999999999999999999",
    "too many digits": DIGITS,
    "not a number": "nan",
    "infinite": "1e400",
    "not UTF-8": "\udcff",
    "markup": "[/red] %s {}",
    "open brackets": "[" * 100_000,
    "nested patterns": "(" * 5000 + "causal" + ")" * 5000,
    "broken JSON": "{",
    "a name": '{"name": "full"}',
    "digits of an option": f"window:left={DIGITS}",
    "null": '{"rate": null}',
    "digits in JSON": f'{{"rate": {DIGITS}}}',
    "a folder": ".",
    "no folder": "no/such/folder/file.svg",
    "below a file": "dict.txt/file.svg",
    "too long": "x" * 300 + ".svg",
    "nobody's": "~nobody-at-all/file.svg",
}
#: Other parameters that each command needs.
NEEDED = {
    "attention": {"spec": "causal"},
    "check": {"name": "full"},
    "compile": {"name": "none"},
    "ngrams": {"corpus": "text.txt", "--tokenizer": "dict.txt", "--out": "ngrams.txt"},
    "dictionary": {"words": "text.txt", "--source-tokenizer": "dict.txt", "--out": "ids.tsv"},
}
NUMBERS = {"empty", "blank", "too many digits", "not UTF-8", "markup", "broken JSON", "a folder"}
#: Values that are always invalid, by the parameter's type or its metavar.
WRONG: dict[object, set[str]] = {
    click.types.IntParamType: NUMBERS | {"not a number", "infinite", "negative"},
    click.IntRange: NUMBERS | {"not a number", "infinite", "negative", "beyond 64 bits"},
    click.types.FloatParamType: NUMBERS | {"not a number", "infinite", "negative"},
    click.FloatRange: NUMBERS | {"not a number", "infinite", "negative"},
    click.Choice: set(VALUES),
    OutFile: {"empty", "a folder", "no folder", "below a file", "too long", "nobody's"},
    "JSON": set(VALUES) - {"null"},
    "PATH": set(VALUES) - {"a folder", "null"},
}


def parameters() -> Iterator[tuple[str, str]]:
    for name, command in main.commands.items():
        for parameter in command.params:
            if not getattr(parameter, "is_flag", False):
                argument = isinstance(parameter, click.Argument)
                yield name, str(parameter.name) if argument else parameter.opts[0]


def of(command: str, name: str) -> click.Parameter:
    return next(p for p in main.commands[command].params if name in (p.name, *p.opts))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dict.txt").write_text("a 1\nb 1\n")
    (tmp_path / "text.txt").write_text("a b\n")
    return tmp_path


def run(command: str, name: str, value: str) -> Result:
    values = {**NEEDED.get(command, {}), name: value}
    options = [word for key, v in values.items() if key.startswith("-") for word in (key, v)]
    arguments = [v for key, v in values.items() if not key.startswith("-")]
    return CliRunner().invoke(main, [command, *options, "--", *arguments])


#: Each parameter with every value; four fifths of the combinations are slow tests.
COMBINATIONS = [
    pytest.param(
        command, name, value, marks=[pytest.mark.slow] if (i + j) % 5 else [],
        id=f"{command}-{name}-{value}",
    )
    for i, (command, name) in enumerate(parameters())
    for j, value in enumerate(VALUES)
]  # fmt: skip


@pytest.mark.parametrize(("command", "name", "value"), COMBINATIONS)
def test_invalid_values_are_refused(folder: Path, command: str, name: str, value: str) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    result = run(command, name, VALUES[value])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in (0, 2), result.output
    parameter = of(command, name)
    if value in WRONG.get(type(parameter.type), set()) | WRONG.get(parameter.metavar, set()):
        assert result.exit_code == 2, result.output
    if result.exit_code:
        assert "Error: " in result.output
        assert {path: path.read_bytes() for path in folder.iterdir()} == before
