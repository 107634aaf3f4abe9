"""Parallel text files: two files a split, plain or gzip, one example a line."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import click

SPLITS = ("train", "valid", "test")
SAMPLE = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Split:
    """The two sides of one split, as lists of lines of the same length."""

    source: list[str]
    target: list[str]

    def __len__(self) -> int:
        return len(self.source)


def lines(path: Path) -> list[str]:
    """The lines of a text file (UTF-8, plain or ``.gz``), without their ends."""
    if not path.exists():
        raise click.ClickException(f"{path}: no such file")
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    rows = []
    for number, row in enumerate(data.removesuffix(b"\n").split(b"\n"), 1):
        try:
            rows.append(row.decode().removesuffix("\r"))
        except UnicodeDecodeError as error:
            raise click.ClickException(
                f"{path}, line {number}: not UTF-8 ({error.reason})"
            ) from None
    return rows


def read_split(source: Path, target: Path) -> Split:
    """Read both sides and check that they belong together, line by line."""
    split = Split(lines(source), lines(target))
    if len(split.source) != len(split.target):
        raise click.ClickException(
            f"{source} has {len(split.source)} lines and {target} has {len(split.target)}: "
            "line n of one must translate line n of the other"
        )
    for number, pair in enumerate(zip(split.source, split.target, strict=True), 1):
        if not all(text.strip() for text in pair):
            empty = target if pair[0].strip() else source
            raise click.ClickException(f"{empty}, line {number}: empty; remove the pair")
    return split


def sample() -> dict[str, tuple[Path, Path]]:
    """The files of the English–German sample that comes with the recipe."""
    return {name: (SAMPLE / f"{name}.en.gz", SAMPLE / f"{name}.de.gz") for name in SPLITS}
