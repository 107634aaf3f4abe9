"""``maskplug ngrams``: the collocations of a corpus, for the strategy ``pmi``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from maskplug.cli.parameters import OutFile, keep_sources, writing
from maskplug.cli.tokenizers import Reader, read
from maskplug.errors import OptionError, TokenError
from maskplug.preprocessing.ngrams import Word, collocations, sentences, write
from maskplug.tokens import TokenBatch

LINES = 1000  # encoded and cut into words together


@click.command("ngrams")
@click.argument(
    "corpus", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--tokenizer",
    required=True,
    metavar="PATH",
    help="Hugging Face folder, SentencePiece .model or fairseq dict.txt.",
)
@click.option("--out", required=True, type=OutFile(), help="What to write.")
@click.option("--size", default=800_000, show_default=True, help="The most n-grams.")
@click.option(
    "--max-n",
    type=click.IntRange(max=100),
    default=5,
    show_default=True,
    help="The most words of an n-gram.",
)
@click.option("--min-count", default=11, show_default=True, help="How often it must occur.")
def ngrams_command(
    corpus: tuple[Path, ...], tokenizer: str, out: Path, size: int, max_n: int, min_count: int
) -> None:
    """Write the collocations of CORPUS, text files with a sentence or more a line.

    They are ranked by pointwise mutual information: words that occur together more often than
    their parts explain. The strategy pmi masks them as a whole.
    """
    keep_sources(out, *corpus)
    reader = read(tokenizer, "")
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, TimeRemainingColumn(), transient=True) as progress:
        passes = _passes(corpus, reader, progress)
        found = collocations(passes, size, max_n, min_count)
    if not found:
        raise OptionError(
            f"no two words occur together {min_count} times in these files; lower --min-count, or "
            "give more text"
        )
    with writing(out):
        write(out, found)
    counts = Counter(len(entry.words) for entry in found)
    parts = ", ".join(f"{count} of {n} words" for n, count in sorted(counts.items()))
    console = Console(highlight=False, soft_wrap=True)  # a path is one word, however long
    console.print(f"wrote {len(found)} n-grams to {out}: {parts}", markup=False)


def _passes(
    corpus: tuple[Path, ...], reader: Reader, progress: Progress
) -> Callable[[], Iterator[list[Word]]]:
    """What reads the corpus from its start, pass after pass, and shows how far it is."""
    size = sum(path.stat().st_size for path in corpus)
    started: list[int] = []

    def begin() -> Iterator[list[Word]]:
        started.append(1)
        task = progress.add_task(f"n-grams of {len(started)} words", total=size)
        for path in corpus:
            lines = _lines(path, lambda count: progress.advance(task, count))
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
