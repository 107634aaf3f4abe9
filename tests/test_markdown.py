"""Runs the examples of the Markdown files and compares what they print with what is printed there."""

import contextlib
import io
import re
import shlex
import sys
import types
from pathlib import Path

import pytest
from click.testing import CliRunner

import maskplug
from maskplug.cli import main

ROOT = Path(__file__).parents[1]
FILES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$(?:\n```text\n(.*?)^```$)?", re.M | re.S)


def blocks(path: Path, language: str) -> list[tuple[str, str, str | None]]:
    found = BLOCK.findall(path.read_text())
    return [(flags.strip(), body, output) for lang, flags, body, output in found if lang == language]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_python_blocks_print_what_they_say(path: Path) -> None:
    namespace: dict[str, object] = {"__name__": "readme"}
    for flags, body, output in blocks(path, "python"):
        if flags:
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(body, str(path), "exec"), namespace)
        assert printed.getvalue() == output, body


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_console_blocks_print_what_they_say(path: Path) -> None:
    for flags, body, _ in blocks(path, "console"):
        if flags == "notest":
            continue
        command, _, expected = body.partition("\n")
        arguments = shlex.split(command.removeprefix("$ maskplug "))
        result = CliRunner().invoke(main, arguments, env={"COLUMNS": "120"})
        assert result.exit_code == 0
        assert result.output == expected


def test_the_plugin_of_the_readme_registers_and_masks(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    from maskplug import plugins

    ((_, body, _),) = [b for b in blocks(ROOT / "README.md", "python") if b[0] == "plugin"]
    module = types.ModuleType("readme_plugin")
    monkeypatch.setitem(sys.modules, "readme_plugin", module)
    exec(body, vars(module))
    loaded = plugins.load([(EntryPoint("x", "readme_plugin", "maskplug"), "readme", "1")])
    monkeypatch.setattr(plugins, "plugins", lambda: loaded)
    made = loaded.registry.find("strategy", "long_words").factory(rate=1.0)
    vocab = maskplug.Vocabulary.from_pieces(["<mask>", "▁a", "b", "▁c"], mask_id=0)
    tokens = maskplug.TokenBatch.from_lists([[1, 2, 3, 1, 2]], keys=[1])
    assert isinstance(made, maskplug.Strategy)
    assert made(tokens, vocab).selection.mask.tolist() == [True, True, False, True, True]
