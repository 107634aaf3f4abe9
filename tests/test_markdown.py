"""Run the examples in the Markdown files, compare their output, and check the links.

``python tests/test_markdown.py`` updates the printed output; review the diff before you commit it.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.commands import succeeded

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").glob("*.md"))
FILES = [README, *DOCS]
LINKED = [
    *FILES,
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *ROOT.glob("recipes/**/README.md"),
]
PYTHON = re.compile(r"^```python\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", re.M | re.S)
CONSOLE = re.compile(r"^```console\n\$ maskplug ([^\n]*)\n(.*?)^```\n", re.M | re.S)
FENCED = re.compile(r"^```.*?^```$", re.M | re.S)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")

Blocks = Iterator[tuple[re.Match[str], str]]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def python_blocks(text: str) -> Blocks:
    """Run the Python blocks of a page in one namespace; in the README each block is independent."""
    independent = text == README.read_text()
    namespace: dict[str, object] = {"__name__": "example"}
    for block in PYTHON.finditer(text):
        if independent:
            namespace = {"__name__": "example"}
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(compile(block[1], "example", "exec"), namespace)
        yield block, output.getvalue()


def console_blocks(text: str) -> Blocks:
    for block in CONSOLE.finditer(text):
        yield block, succeeded(*shlex.split(block[1]), columns=120)


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub creates for the headings of a page."""
    text = FENCED.sub("", path.read_text())
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", FILES, ids=relative)
@pytest.mark.parametrize("blocks", [python_blocks, console_blocks], ids=["python", "console"])
def test_example_output_is_up_to_date(path: Path, blocks: Callable[[str], Blocks]) -> None:
    for block, output in blocks(path.read_text()):
        assert output == (block[2] or ""), block[1]


def test_index_links_every_page() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {target for target, _ in LINK.findall(index.read_text())}
    assert {page.name for page in DOCS} - {index.name} <= linked


@pytest.mark.parametrize("path", LINKED, ids=relative)
def test_links_have_targets(path: Path) -> None:
    for target, anchor in LINK.findall(FENCED.sub("", path.read_text())):
        page = (path.parent / target) if target else path
        assert page.exists(), target
        assert not anchor or anchor in anchors(page), f"{target}#{anchor}"


def update(path: Path) -> None:
    for blocks in (python_blocks, console_blocks):
        text = path.read_text()
        for block, output in reversed(list(blocks(text))):
            if block[2] is not None:
                text = text[: block.start(2)] + output + text[block.end(2) :]
        path.write_text(text)


if __name__ == "__main__":
    for file in FILES:
        update(file)
