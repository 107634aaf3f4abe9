"""Puts the tables of benchmarks/results.json into a page, between its markers.

``python -m benchmarks.report docs/performance.md`` rewrites what stands between
``<!-- table: NAME -->`` and ``<!-- end -->``; NAME is a section of the results.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click

from benchmarks.results import RESULTS
from benchmarks.tables import Table, tables

MARKED = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end -->)", re.S)


def markdown(made: Table) -> str:
    """A table in Markdown, figures to the right."""
    rule = ("---", *("---:" for _ in made.head[1:]))
    rows = (made.head, rule, *made.rows)
    return "".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in rows
    )


def rewritten(text: str, results: dict[str, Any]) -> str:
    """A page with the tables of these results.

    Raises:
        ClickException: when the page has no marker, or asks for a section that is not there.
    """

    def put(found: re.Match[str]) -> str:
        begin, name, end = found.groups()
        if name not in results:
            have = ", ".join(results)
            raise click.ClickException(f"the results have no section {name!r}; they have {have}")
        made = "\n".join(map(markdown, tables(name, results[name])))
        return f"{begin}{made}{end}"

    text, count = MARKED.subn(put, text)
    if not count:
        raise click.ClickException("no '<!-- table: NAME -->' … '<!-- end -->' in this page")
    return text


@click.command()
@click.argument("page", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--results",
    default=RESULTS,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Another results.json.",
)
def main(page: Path, results: Path) -> None:
    """Rewrite the tables of PAGE."""
    page.write_text(
        rewritten(page.read_text("utf-8"), json.loads(results.read_text("utf-8"))), "utf-8"
    )


if __name__ == "__main__":
    main()
