"""Docstrings for a terminal: lines that only the width of source code had broken are joined."""

from __future__ import annotations

import re
import textwrap

#: Wider lines are hard to read, however wide the terminal; narrower ones hold no word.
WIDEST, NARROWEST = 100, 20
HEADING = re.compile(r"\w+:")


def fitted(doc: str, width: int) -> str:
    r"""A docstring without its indentation, its paragraphs as wide as the terminal.

    Examples stay as they are.

    Example:
        >>> print(fitted("One, two,\nthree.\n\nArgs:\n    n: four,\n        five.", 12))
        One, two,
        three.
        <BLANKLINE>
        Args:
            n: four,
                five.
        >>> print(fitted("One, two,\nthree.\n\nArgs:\n    n: four,\n        five.", 99))
        One, two, three.
        <BLANKLINE>
        Args:
            n: four, five.
    """
    whole: list[str] = []
    example = joins = False
    for line in doc.splitlines():
        indent = len(line) - len(line.lstrip())
        example = line == "Example:" or (example and (indent > 0 or not line))
        begins = indent == 4 or line.startswith("- ")
        if joins and line and not begins and not example and not HEADING.fullmatch(line):
            whole[-1] += " " + line.lstrip()
        else:
            whole.append(line)
        joins = bool(line) and not example and not HEADING.fullmatch(line)
    return "\n".join(_wrapped(line, width) for line in whole)


def _wrapped(line: str, width: int) -> str:
    indent = " " * (len(line) - len(line.lstrip()))
    if not line or line.lstrip().startswith((">>>", "...")):
        return line
    more = "  " if line.startswith("- ") else "    " if indent else ""
    return textwrap.fill(
        line.lstrip(),
        max(min(width, WIDEST), NARROWEST),
        initial_indent=indent,
        subsequent_indent=indent + more,
        break_long_words=False,
        break_on_hyphens=False,
    )
