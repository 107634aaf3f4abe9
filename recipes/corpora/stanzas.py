"""Read the stanzas of an index and their descriptions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from recipes.shared.errors import RecipeError


@dataclass(frozen=True)
class Description:
    """The description of a package in one language.

    Args:
        synopsis: one line.
        paragraphs: the long description, with the lines of a paragraph joined by spaces.
    """

    synopsis: str
    paragraphs: tuple[str, ...]

    @classmethod
    def parse(cls, field: str) -> Description:
        r"""Parse a field: a synopsis, and paragraphs separated by lines with a dot.

        Example:
            >>> Description.parse("a tool\n Cuts\n  rows.\n .\n Joins.")
            Description(synopsis='a tool', paragraphs=('Cuts rows.', 'Joins.'))
        """
        synopsis, *lines = field.split("\n")
        paragraphs = [""]
        for line in lines:
            if line.strip() == ".":
                paragraphs.append("")
            else:
                paragraphs[-1] += f" {line}"
        joined = (" ".join(paragraph.split()) for paragraph in paragraphs)
        return cls(" ".join(synopsis.split()), tuple(filter(None, joined)))


def stanzas(path: Path) -> Iterator[dict[str, str]]:
    """Yield the stanzas of an index as dictionaries of fields; folded lines stay folded.

    Raises:
        RecipeError: if a line belongs to no field, or if the text is not UTF-8.
    """
    fields: dict[str, str] = {}
    name = ""
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, 1):
                line = line.rstrip("\n")
                if not line:
                    if fields:
                        yield fields
                    fields, name = {}, ""
                elif line[0] in " \t" and name:
                    fields[name] += f"\n{line}"
                else:
                    name, colon, value = line.partition(":")
                    if not colon or line[0] in " \t":
                        raise RecipeError(f"{path}, line {number}: not a field: {line!r}")
                    fields[name] = value.strip()
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path}: not UTF-8: {error.reason}") from None
    if fields:
        yield fields
