"""Read rows of text from files and datasets, and report the bad ones."""

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
        file, line: its position; lines count from 1.
        why: the reason by which rows are counted: ``empty``, ``not UTF-8``, …
        detail: more about the reason.
    """

    file: str
    line: int
    why: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.why}{self.detail and f' ({self.detail})'}"


@dataclass
class Table:
    """The usable and the bad rows of a split.

    Args:
        columns: the texts of each column; all lists have the same length.
        places: the file and the line of each row.
        problems: the skipped rows.
        truncated: the rows that are used in truncated form.
    """

    columns: dict[str, list[str]]
    places: list[tuple[str, int]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    truncated: list[Problem] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.places)

    def without(self, bad: dict[int, Problem]) -> Table:
        """Return the table without the rows with these indices, which become problems."""
        kept = [i for i in range(len(self)) if i not in bad]
        return Table(
            {name: [texts[i] for i in kept] for name, texts in self.columns.items()},
            [self.places[i] for i in kept],
            [*self.problems, *bad.values()],
            self.truncated,
        )

    def counts(self) -> Counter[str]:
        """Return the number of skipped rows by reason."""
        return Counter(problem.why for problem in self.problems)


def read(files: Sequence[Path], names: Sequence[str]) -> Table:
    """Read the rows of a split.

    Args:
        files: one tab-separated file with all columns, or one file per column; plain or ``.gz``,
            UTF-8, one row per line.
        names: the columns.

    Raises:
        RecipeError: if a file cannot be read, or if the files differ in their number of lines.
    """
    if len(files) not in (1, len(names)):
        raise RecipeError(
            f"{len(files)} files for the columns {', '.join(names)}; expected one file with all "
            "columns, or one file per column"
        )
    sides = [_lines(path) for path in files]
    if len({len(side) for side in sides}) > 1:
        counts = " and ".join(f"{p} has {len(s)} lines" for p, s in zip(files, sides, strict=True))
        raise RecipeError(f"{counts}; line n of both files must be one row")
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
    """Read the rows of a split of a Hugging Face dataset.

    Args:
        rows: the split, with the columns ``names``.
        where: its name, for messages.
        names: the columns.
    """
    table = Table({name: [] for name in names})
    for number, row in enumerate(rows, 1):
        values = [row[name] for name in names]
        texts = ["" if value is None else clean(str(value)) for value in values]
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
    """Return the texts of a row, or the problem with it."""
    texts = []
    for path, line in zip(files, raw, strict=True):
        try:
            texts.append(line.decode())
        except UnicodeDecodeError as error:
            return Problem(str(path), number, "not UTF-8", error.reason)
    if len(files) == 1:
        texts = texts[0].split("\t")
        if len(texts) != width and texts != [""]:
            return Problem(str(files[0]), number, "columns", f"{len(texts)}, expected {width}")
    texts = [clean(text) for text in texts]
    if all(texts):
        return texts
    return Problem(str(files[min(texts.index(""), len(files) - 1)]), number, "empty")


def clean(text: str) -> str:
    """Return a text on one line; "" if it has no visible character."""
    line = " ".join(text.split())
    return line if any(each.isprintable() and each != " " for each in line) else ""


def first_problems(problems: Sequence[Problem], limit: int = 5) -> Iterator[str]:
    """Yield the first problems, a line each, and the number of the others."""
    yield from (str(problem) for problem in problems[:limit])
    if len(problems) > limit:
        yield f"and {len(problems) - limit} more"
