"""Runs the examples of the Markdown files and compares what they print with what is printed there.

``python tests/test_markdown.py`` writes what they print into the files; read the difference before
you commit it.
"""

import contextlib
import io
import re
import shlex
import sys
import types
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from click.testing import CliRunner

import maskplug
from maskplug.cli import main

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
FILES = [README, *sorted((ROOT / "docs").glob("*.md"))]
PYTHON = re.compile(r"^```python\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", re.M | re.S)
CONSOLE = re.compile(r"^```console\n\$ maskplug ([^\n]*)\n(.*?)^```\n", re.M | re.S)
PLUGIN = re.compile(r"^```python plugin\n(.*?)^```\n", re.M | re.S)


def python_blocks(text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Run the blocks of a page one after the other; those of the README each on its own."""
    alone = text == README.read_text()
    namespace: dict[str, object] = {"__name__": "example"}
    for block in PYTHON.finditer(text):
        if alone:
            namespace = {"__name__": "example"}
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block[1], "example", "exec"), namespace)
        yield block, printed.getvalue()


def console_blocks(text: str) -> Iterator[tuple[re.Match[str], str]]:
    for block in CONSOLE.finditer(text):
        result = CliRunner().invoke(main, shlex.split(block[1]), env={"COLUMNS": "120"})
        assert result.exit_code == 0, result.output
        yield block, result.output


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
@pytest.mark.parametrize("blocks", [python_blocks, console_blocks], ids=["python", "console"])
def test_blocks_print_what_they_say(path: Path, blocks) -> None:  # type: ignore[no-untyped-def]
    for block, printed in blocks(path.read_text()):
        assert printed == (block[2] or ""), block[1]


def test_the_plugin_of_the_readme_registers_and_masks(monkeypatch: pytest.MonkeyPatch) -> None:
    from maskplug import plugins

    module = types.ModuleType("readme_plugin")
    monkeypatch.setitem(sys.modules, "readme_plugin", module)
    exec(PLUGIN.search(README.read_text())[1], vars(module))
    loaded = plugins.load([(EntryPoint("x", "readme_plugin", "maskplug"), "readme", "1")])
    made = loaded.registry.find("strategy", "long_words").factory(rate=1.0)
    vocab = maskplug.Vocabulary.from_pieces(["<mask>", "▁a", "b", "▁c"], mask_id=0)
    tokens = maskplug.TokenBatch.from_lists([[1, 2, 3, 1, 2]], keys=[1])
    assert made(tokens, vocab).selection.mask.tolist() == [True, True, False, True, True]


def update(path: Path) -> None:
    for blocks in (python_blocks, console_blocks):
        text = path.read_text()
        for block, printed in reversed(list(blocks(text))):
            if block[2] is not None:
                text = text[: block.start(2)] + printed + text[block.end(2) :]
        path.write_text(text)


if __name__ == "__main__":
    for file in FILES:
        update(file)
