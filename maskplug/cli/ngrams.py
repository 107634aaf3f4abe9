"""``maskplug ngrams``: write the collocations of a corpus for the strategy ``pmi``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count, islice
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from maskplug.cli.parameters import OutFile, keep_sources, writing
from maskplug.cli.tokenizers import TOKENIZER, Reader, read
from maskplug.errors import OptionError, TokenError
from maskplug.preprocessing.ngrams import Word, collocations, sentences, write
from maskplug.tokens import TokenBatch

#: Number of lines that are encoded together.
LINES = 1000


@click.command("ngrams")
@click.argument(
    "corpus", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--tokenizer", required=True, metavar="PATH", help=f"{TOKENIZER}.")
@click.option("--out", required=True, type=OutFile(), help="Output file.")
@click.option("--size", default=800_000, show_default=True, help="Maximum number of n-grams.")
@click.option(
    "--max-n",
    type=click.IntRange(max=100),
    default=5,
    show_default=True,
    help="Maximum number of words in an n-gram.",
)
@click.option("--min-count", default=11, show_default=True, help="Minimum number of occurrences.")
def ngrams_command(
    corpus: tuple[Path, ...], tokenizer: str, out: Path, size: int, max_n: int, min_count: int
) -> None:
    """Write the collocations of CORPUS, text files with one or more sentences per line.

    Collocations are n-grams of words that occur together more often than expected from their
    parts, ranked by pointwise mutual information. The strategy pmi masks them as units.
    """
    keep_sources(out, *corpus)
    reader = read(tokenizer, "")
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, TimeRemainingColumn(), transient=True) as progress:
        passes = _passes(corpus, reader, progress)
        entries = collocations(passes, size, max_n, min_count)
    if not entries:
        raise OptionError(
            f"no two words occur together {min_count} times in these files; lower --min-count, or "
            "use more text"
        )
    with writing(out):
        write(out, entries)
    counts = Counter(len(entry.words) for entry in entries)
    parts = ", ".join(f"{number} of {n} words" for n, number in sorted(counts.items()))
    console = Console(highlight=False, soft_wrap=True)  # do not break long paths
    console.print(f"wrote {len(entries)} n-grams to {out}: {parts}", markup=False)


def _passes(
    corpus: tuple[Path, ...], reader: Reader, progress: Progress
) -> Callable[[], Iterator[list[Word]]]:
    """Return a function that reads the corpus from its start and shows its progress."""
    size = sum(path.stat().st_size for path in corpus)
    passes = count(1)

    def begin() -> Iterator[list[Word]]:
        task = progress.add_task(f"n-grams of {next(passes)} words", total=size)
        for path in corpus:
            lines = _lines(path, lambda size: progress.advance(task, size))
            while batch := list(islice(lines, LINES)):
                rows = [reader.encode(line) for line in batch]
                yield from sentences(
                    TokenBatch.from_lists(rows, keys=range(len(rows))), reader.vocab
                )

    return begin


def _lines(path: Path, advance: Callable[[int], None]) -> Iterator[str]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            advance(len(line))
            try:
                yield line.decode().strip()
            except UnicodeDecodeError as error:
                raise TokenError(f"{path}, line {number}: not UTF-8 ({error})") from None
