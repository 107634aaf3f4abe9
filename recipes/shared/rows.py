"""Rows of text with two columns: read from files, checked, and the bad ones named and counted."""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from recipes.shared.errors import RecipeError

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class Problem:
    """A row that cannot be used.

    Args:
        file, line: where it stands; lines count from 1.
        why: ``empty``, ``not UTF-8``, …: what rows are counted by.
        detail: what else there is to say.
    """

    file: str
    line: int
    why: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.why}{self.detail and f' ({self.detail})'}"


@dataclass
class Table:
    """The rows of one split that can be used, and those that cannot.

    Args:
        columns: the texts of each column; all lists have one length.
        places: for each row, the files and the line that it comes from.
        problems: the rows that were left out.
        truncated: the rows that are used, but were made shorter.
    """

    columns: dict[str, list[str]]
    places: list[tuple[str, int]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    truncated: list[Problem] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.places)

    def without(self, bad: dict[int, Problem]) -> Table:
        """The rows but for some, by their places in this table, which are problems now."""
        kept = [i for i in range(len(self)) if i not in bad]
        return Table(
            {name: [texts[i] for i in kept] for name, texts in self.columns.items()},
            [self.places[i] for i in kept],
            [*self.problems, *bad.values()],
            self.truncated,
        )

    def counts(self) -> Counter[str]:
        """How many rows were left out, by reason."""
        return Counter(problem.why for problem in self.problems)


def read(files: Sequence[Path], names: Sequence[str]) -> Table:
    """The rows of a split.

    Args:
        files: one tab-separated file with all columns, or a file for each column; plain or
            ``.gz``, UTF-8, one row a line.
        names: the columns.

    Raises:
        RecipeError: when a file cannot be read, or files have different numbers of lines: nobody
            knows which line is missing.
    """
    if len(files) not in (1, len(names)):
        raise RecipeError(f"{len(files)} files for the columns {', '.join(names)}")
    sides = [_lines(path) for path in files]
    if len({len(side) for side in sides}) > 1:
        told = " and ".join(f"{p} has {len(s)} lines" for p, s in zip(files, sides, strict=True))
        raise RecipeError(f"{told}: line n of one must belong to line n of the other")
    table = Table({name: [] for name in names})
    for number, raw in enumerate(zip(*sides, strict=True), 1):
        row = _row(raw, files, number, len(names))
        if isinstance(row, Problem):
            table.problems.append(row)
            continue
        for name, text in zip(names, row, strict=True):
            table.columns[name].append(text)
        table.places.append((str(files[0]), number))
    return table


def of_dataset(rows: Iterable[dict[str, object]], where: str, names: Sequence[str]) -> Table:
    """The rows of a split of a Hugging Face dataset, whose columns have these names already.

    Args:
        rows: the split.
        where: its name, for messages.
        names: the columns.
    """
    table = Table({name: [] for name in names})
    for number, row in enumerate(rows, 1):
        found = [row[name] for name in names]
        texts = ["" if value is None else clean(str(value)) for value in found]
        if all(texts):
            for name, text in zip(names, texts, strict=True):
                table.columns[name].append(text)
            table.places.append((where, number))
        else:
            table.problems.append(Problem(where, number, "empty"))
    return table


def _lines(path: Path) -> list[bytes]:
    try:
        data = path.read_bytes()
        data = gzip.decompress(data) if path.suffix == ".gz" else data
    except FileNotFoundError:
        raise RecipeError(f"{path}: no such file") from None
    except (OSError, EOFError, zlib.error) as error:
        raise RecipeError(f"{path}: {error}") from None
    lines = data.removesuffix(b"\n").split(b"\n") if data else []
    return [line.removesuffix(b"\r") for line in lines]


def _row(
    raw: tuple[bytes, ...], files: Sequence[Path], number: int, width: int
) -> list[str] | Problem:
    """The texts of a row, or what is wrong with it."""
    texts = []
    for path, line in zip(files, raw, strict=True):
        try:
            texts.append(line.decode())
        except UnicodeDecodeError as error:
            return Problem(str(path), number, "not UTF-8", error.reason)
    if len(files) == 1:
        texts = texts[0].split("\t")
        if len(texts) != width and texts != [""]:
            return Problem(str(files[0]), number, "columns", f"{len(texts)}, not {width}")
    texts = [clean(text) for text in texts]
    if all(texts):
        return texts
    return Problem(str(files[min(texts.index(""), len(files) - 1)]), number, "empty")


def clean(text: str) -> str:
    """A text on one line, since files have a row a line; "" where there is nothing to see in it."""
    made = " ".join(text.split())
    return made if any(each.isprintable() and each != " " for each in made) else ""


def told(problems: Sequence[Problem], most: int = 5) -> Iterator[str]:
    """The first problems, a line each, and how many more there are."""
    yield from (str(problem) for problem in problems[:most])
    if len(problems) > most:
        yield f"and {len(problems) - most} more"
