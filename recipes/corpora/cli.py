"""The command line: fetch, join, write, and a table of what was written."""

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
@click.option("--out", type=PATH, required=True, help="Folder of the corpora.")
@click.option(
    "--languages", default="de,fr", show_default=True, help="To translate to, with commas between."
)
def main(out: Path, languages: str) -> None:
    """Make the recipes' corpora from the descriptions of the packages that apt knows.

    apt keeps what it fetches in OUT/apt; nothing of the system is changed, and no root is needed.
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
            for name, found in corpora.items():
                step(name)
                splits = divide(found)
                for split in SPLITS:
                    save(out / f"{name}.{split}.tsv.gz", splits[split])
                table.add_row(name, *(f"{len(splits[split]):,}" for split in SPLITS))
    except OSError as error:
        raise RecipeError(str(error)) from None
    console.print(table)
    console.print(f"files are in {out}")


def save(path: Path, found: list[Row]) -> None:
    """Write rows, tab-separated; the same rows make the same bytes."""
    text = "".join(f"{first}\t{second}\n" for first, second in found)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def _languages(given: str) -> list[str]:
    """The codes, each once; they go into apt's configuration, so that they are checked."""
    codes = list(dict.fromkeys(given.split(",")))
    for code in codes:
        if code == "en" or not re.fullmatch("[a-z]{2,3}(_[A-Z]{2})?", code):
            raise RecipeError(f"--languages: {code!r} is no language to translate to, such as de")
    return codes
