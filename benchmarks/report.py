"""Write the tables of benchmarks/results.json into a page.

``python -m benchmarks.report docs/performance.md`` replaces the text between
``<!-- table: NAME … -->`` and ``<!-- end -->``. The rows of several parts make one table.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import click

from benchmarks.results import RESULTS, Results, Table, tables

MARKED = re.compile(r"(<!-- table: ([\w -]+) -->\n).*?(<!-- end -->)", re.S)


def markdown(table: Table) -> str:
    """Return a table in Markdown with the numbers aligned to the right."""
    rule = ("---", *("---:" for _ in table.head[1:]))
    return "".join(
        f"| {' | '.join(text.replace('|', chr(92) + '|') for text in row)} |\n"
        for row in (table.head, rule, *table.rows)
    )


def rewritten(text: str, results: Results) -> str:
    """Return a page with the tables of these results.

    Raises:
        ClickException: if the page has no marker or names a part without results.
    """

    def replace(match: re.Match[str]) -> str:
        begin, names, end = match.groups()
        rows = []
        for name in names.split():
            if name not in results:
                raise click.ClickException(f"no results of {name!r}, only {', '.join(results)}")
            rows += results[name]
        return f"{begin}{chr(10).join(map(markdown, tables(rows)))}{end}"

    text, count = MARKED.subn(replace, text)
    if not count:
        raise click.ClickException("the page has no '<!-- table: NAME -->' … '<!-- end -->'")
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
    values = json.loads(results.read_text("utf-8"))
    page.write_text(rewritten(page.read_text("utf-8"), values), "utf-8")


if __name__ == "__main__":
    main()
