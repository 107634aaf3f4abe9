"""Command line: fetch descriptions, build the corpora, and show their sizes."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import click
from rich.table import Table

from recipes.corpora import apt, packages, rows
from recipes.corpora.splitting import Row, divide
from recipes.shared.errors import RecipeError
from recipes.shared.rows import SPLITS
from recipes.shared.screen import console, moving

PATH = click.Path(path_type=Path)


@click.command()
@click.option("--out", type=PATH, required=True, help="Output folder.")
@click.option(
    "--languages", default="de,fr", show_default=True, help="Target languages, separated by commas."
)
def main(out: Path, languages: str) -> None:
    """Build the corpora of the recipes from the package descriptions of apt.

    apt stores its files in OUT/apt; this changes nothing else on the system and needs no root.
    """
    others = _languages(languages)
    try:
        with moving() as step:
            indices = apt.fetch(out / "apt", ["en", *others], step("fetching the indices"))
            step("reading the indices")
            known = packages.join(indices)
            corpora = {f"translation.en-{code}": rows.translation(known, code) for code in others}
            corpora["summarization.en"] = rows.summarization(known)
            corpora["classification.en"] = rows.classification(known)
            table = Table("corpus", *SPLITS)
            for name, sources in corpora.items():
                step(name)
                splits = divide(sources)
                for split in SPLITS:
                    save(out / f"{name}.{split}.tsv.gz", splits[split])
                table.add_row(name, *(f"{len(splits[split]):,}" for split in SPLITS))
    except OSError as error:
        raise RecipeError(str(error)) from None
    console.print(table)
    console.print(f"files are in {out}")


def save(path: Path, rows: list[Row]) -> None:
    """Write tab-separated rows; equal rows give equal bytes."""
    text = "".join(f"{first}\t{second}\n" for first, second in rows)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def _languages(text: str) -> list[str]:
    """Return the distinct codes, checked because they go into the configuration of apt."""
    codes = list(dict.fromkeys(text.split(",")))
    for code in codes:
        if code == "en" or not re.fullmatch("[a-z]{2,3}(_[A-Z]{2})?", code):
            raise RecipeError(f"--languages: {code!r} is not a target language such as de")
    return codes
