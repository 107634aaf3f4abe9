"""Generate docs/strategies.md, with one section per built-in strategy, and check it is up to date.

``python tests/test_docs.py`` writes the page; review the diff before you commit it.
"""

from __future__ import annotations

import importlib
import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from maskplug.plugins import registry
from maskplug.registry import BUILTIN, Entry
from support.commands import succeeded

PAGE = Path(__file__).parents[1] / "docs" / "strategies.md"
HEAD = """# Strategies

All built-in strategies, with their options, their sources and an example. This page is generated
from the docstrings (`python tests/test_docs.py`). `maskplug list NAME` prints the same text in a
terminal, and `maskplug show --strategy NAME` shows the masks of any text, in colour.

Every rate can be a schedule, and every strategy accepts a clock; `maskplug list schedule` and
`maskplug list clock` list them. Every strategy passes `maskplug check NAME`.

Numbers are checked when a strategy is created: counts and periods are at most 2,147,483,647,
lengths of n-grams and spans at most 1,048,576. Lists of strategies have at most 256 entries and
are nested at most 50 deep.
"""
#: Additional arguments of ``maskplug show``; None: no example, since it needs a file or a model.
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
    """Strategies grouped by the summary line of their module."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries():
        module = importlib.import_module(entry.factory.__module__)
        groups.setdefault((module.__doc__ or "").splitlines()[0].rstrip("."), []).append(entry)
    return groups


def markdown(docstring: str) -> str:
    """Convert a Google-style docstring to Markdown; arguments become a list."""
    out, section = [], ""
    for line in inspect.cleandoc(docstring).splitlines():
        heading = re.fullmatch(r"(Args|Raises|Returns|Example):", line)
        if heading or (line and not line.startswith(" ")):
            section = heading[1] if heading else ""
        if section == "Args" and not heading:
            option = re.match(r"    (\w[\w, ]*): (.*)", line)
            line = f"- `{option[1]}`: {option[2]}" if option else f"  {line.strip()}".rstrip()
        if section in ("", "Args") and not heading:
            out.append(line.replace("``", "`"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out)).strip()


def example(entry: Entry) -> str | None:
    """Return the output of ``maskplug show`` for one epoch as a Markdown block."""
    arguments = EXAMPLES.get(entry.name, "")
    if arguments is None:
        return None
    command = f"show --strategy {entry.name} {arguments}".strip() + " --epochs 1"
    output = succeeded(*shlex.split(command), columns=100).rsplit("[word] masked", 1)[0].rstrip()
    body = "\n".join(map(str.rstrip, output[output.index("epoch 0") :].splitlines()))
    return f"```console notest\n$ maskplug {command}\n{body}\n```"


def sections() -> Iterator[str]:
    yield HEAD
    for family, members in families().items():
        yield f"## {family}\n"
        for entry in members:
            parameters = inspect.signature(entry.factory).parameters.values()
            options = [
                p.name if p.default is p.empty else f"{p.name}={p.default!r}" for p in parameters
            ]
            yield f"### {entry.name}\n\n`{entry.name}({', '.join(options)})`\n"
            yield markdown(entry.factory.__doc__ or "") + "\n"
            block = example(entry)
            if block is not None:
                yield block + "\n"


def test_strategies_page_is_up_to_date() -> None:
    page = "\n".join(sections())
    assert PAGE.read_text(encoding="utf-8") == page, "run python tests/test_docs.py"


def test_every_option_of_a_strategy_is_documented() -> None:
    for entry in entries():
        docstring = entry.factory.__doc__ or ""
        for name in inspect.signature(entry.factory).parameters:
            documented = re.search(rf"^\s+(\w+, )*{name}(, \w+)*: ", docstring, re.M)
            assert documented, (entry.name, name)


if __name__ == "__main__":
    PAGE.write_text("\n".join(sections()), encoding="utf-8")
