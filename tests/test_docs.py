"""docs/strategies.md: one section for every built-in strategy, made from its docstring and masks.

``python tests/test_docs.py`` writes the page; read the difference before you commit it.
"""

from __future__ import annotations

import importlib
import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from click.testing import CliRunner

from maskplug.cli import main
from maskplug.plugins import registry
from maskplug.registry import BUILTIN, Entry

PAGE = Path(__file__).parents[1] / "docs" / "strategies.md"
HEAD = """# Strategies

Every strategy that comes with the library, what it is made of, and what it does to three sentences.
This page is made from the docstrings (`python tests/test_docs.py`); `maskplug list NAME` prints the
same in a terminal, and `maskplug show --strategy NAME` the masks, of any text and in colour.

Every rate takes a schedule, every strategy a clock; `maskplug list schedule` and `maskplug list
clock`
name them. Every strategy passes `maskplug check NAME`.

Numbers are checked when a strategy is made: counts and periods go up to 2,147,483,647, lengths of
n-grams and spans up to 1,048,576. Lists of strategies have up to 256 entries and are nested up to
50 deep.
"""
#: What ``show`` needs besides the name; None: there is little to see without a file or a model.
EXAMPLES: dict[str, str | None] = {
    "none": None,
    "compose": """--options '{"selector": "spans", "replacement": "delete", "target": "chosen"}'""",
    "mixture": """--options '{"strategies": ["span", "whole_word"]}'""",
    "chain": """--options '{"strategies": ["word_dropout", "dynamic"]}'""",
    "pmi": None,
    "salient": "--text 'Ada Lovelace met Charles Babbage in London' "
    """--annotations '{"salient": [1, 1, 0, 2, 2, 0, 3]}'""",
    "tlm": "--text 'the cat sleeps le chat dort' "
    """--annotations '{"languages": [0, 0, 0, 1, 1, 1]}'""",
    "weighted": "--text 'government of the people by the people for the people' "
    """--annotations '{"scores": [9, 1, 1, 9, 1, 1, 9, 1, 1, 9]}'""",
    "code_switch": None,
    "adaptive": None,
    "self_evolution": "--text 'the cat sat on the hypotenuse' "
    """--annotations '{"losses": [0.01, 0.3, 0.05, 0.02, 0.01, 4.0]}'""",
    "prefixed": """--options '{"strategy": "t5", "token": "[R]"}'""",
}


def entries() -> list[Entry]:
    return [e for e in registry().of_kind("strategy") if e.provider == BUILTIN]


def families() -> dict[str, list[Entry]]:
    """Strategies by the docstring of the module that they come from."""
    found: dict[str, list[Entry]] = {}
    for entry in entries():
        module = importlib.import_module(entry.factory.__module__)
        found.setdefault((module.__doc__ or "").splitlines()[0].rstrip("."), []).append(entry)
    return found


def prose(text: str) -> str:
    """A Google-style docstring as Markdown: arguments become a list."""
    out, section = [], ""
    for line in inspect.cleandoc(text).splitlines():
        heading = re.fullmatch(r"(Args|Raises|Returns|Example):", line)
        if heading or (line and not line.startswith(" ")):
            section = heading[1] if heading else ""
        if section == "Args" and not heading:
            option = re.match(r"    (\w[\w, ]*): (.*)", line)
            line = f"- `{option[1]}`: {option[2]}" if option else f"  {line.strip()}".rstrip()
        if section in ("", "Args") and not heading:
            out.append(line.replace("``", "`"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out)).strip()


def shown(entry: Entry) -> str | None:
    """What ``maskplug show`` prints of a strategy in one epoch, as a Markdown block."""
    more = EXAMPLES.get(entry.name, "")
    if more is None:
        return None
    command = f"show --strategy {entry.name} {more}".strip() + " --epochs 1"
    result = CliRunner().invoke(main, shlex.split(command), env={"COLUMNS": "100"})
    assert result.exit_code == 0, f"{command}: {result.output}"
    printed = result.output.rsplit("[word] masked", 1)[0].rstrip()
    body = "\n".join(map(str.rstrip, printed[printed.index("epoch 0") :].splitlines()))
    return f"```console notest\n$ maskplug {command}\n{body}\n```"


def sections() -> Iterator[str]:
    yield HEAD
    for family, members in families().items():
        yield f"## {family}\n"
        for entry in members:
            parameters = inspect.signature(entry.factory).parameters.values()
            given = [
                p.name if p.default is p.empty else f"{p.name}={p.default!r}" for p in parameters
            ]
            yield f"### {entry.name}\n\n`{entry.name}({', '.join(given)})`\n"
            yield prose(entry.factory.__doc__ or "") + "\n"
            block = shown(entry)
            if block is not None:
                yield block + "\n"


def page() -> str:
    return "\n".join(sections())


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python tests/test_docs.py"


def test_every_strategy_says_what_its_options_mean() -> None:
    for entry in entries():
        text = entry.factory.__doc__ or ""
        for name in inspect.signature(entry.factory).parameters:
            assert re.search(rf"^\s+(\w+, )*{name}(, \w+)*: ", text, re.M), (entry.name, name)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
