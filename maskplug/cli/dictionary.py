"""``maskplug dictionary``: a dictionary of words becomes one of token ids, for ``code_switch``."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import track

from maskplug.cli.parameters import OutFile, keep_sources, writing
from maskplug.cli.tokenizers import Reader, read
from maskplug.errors import OptionError, VocabularyError
from maskplug.preprocessing.resource import Resource
from maskplug.tokens import TokenBatch
from maskplug.units import units

Ids = tuple[int, ...]

FORM = "not a word and its translation"
UNKNOWN = "unknown or special pieces"
SEVERAL = "several words to the source tokenizer"


@click.command("dictionary")
@click.argument("words", metavar="WORDS")
@click.option("--source-tokenizer", "source", required=True, metavar="PATH", help="As in show.")
@click.option(
    "--target-tokenizer",
    "target",
    metavar="PATH",
    help="Of the translations, with the same ids; the source tokenizer without it.",
)
@click.option("--out", required=True, type=OutFile(), help="Where to write the ids.")
def dictionary_command(words: str, source: str, target: str | None, out: Path) -> None:
    """Turn a dictionary in text into the ids that the strategy code_switch replaces.

    WORDS has a word and its translation on each line, with a TAB or blanks between them, as the
    dictionaries of MUSE have; several lines with one word are several translations.
    """
    keep_sources(out, words)
    readers = read(source, ""), read(source if target is None else target, "")
    lines = Resource.of(words).lines()
    skipped: Skipped = {}
    entries = _single_words(_encoded(lines, *readers, skipped), readers[0], skipped)
    _check_ids(entries, *readers)
    text = "".join(f"{_joined(a)}\t{_joined(b)}\n" for _, a, b in entries)
    if not entries:
        left_out = "; ".join(f"{len(own)} left out: {reason}" for reason, own in skipped.items())
        raise OptionError(f"{words} has no entry that can be used ({left_out or 'it is empty'})")
    with writing(out):
        out.write_text(text, encoding="utf-8")
    _report(len(entries), len(lines), skipped, out)


#: The lines that were left out, by reason: the number of each, and what it says.
Skipped = dict[str, list[tuple[int, str]]]
#: The number of the line, the ids of the word, the ids of the translation.
Entry = tuple[int, Ids, Ids]


def _encoded(
    lines: Sequence[str], source: Reader, target: Reader, skipped: Skipped
) -> list[tuple[str, Entry]]:
    """Every line that the tokenizers know, in both spellings; once, if it is there twice."""
    frames = tuple(reader.encode("") for reader in (source, target))
    found: dict[tuple[Ids, Ids], tuple[str, Entry]] = {}
    for number, line in _shown(lines):
        if not line.strip():
            continue
        pair = [side.strip() for side in (line.split("\t") if "\t" in line else line.split())]
        if len(pair) != 2 or not all(pair):
            skipped.setdefault(FORM, []).append((number, line))
            continue
        # Within a text a word may have other pieces than at its beginning ("Ġword" and "word").
        spellings = {
            _word(source, frames[0], lead + pair[0]): _word(target, frames[1], lead + pair[1])
            for lead in ("", " ")
        }
        if not all(spellings) or not all(spellings.values()):
            skipped.setdefault(UNKNOWN, []).append((number, line))
            continue
        for ids in spellings.items():
            found.setdefault(ids, (line, (number, *ids)))
    return list(found.values())


def _shown(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The numbered lines, with a bar that shows how far they are read."""
    yield from track(
        list(enumerate(lines, 1)),
        "reading words",
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )


def _word(reader: Reader, frame: Sequence[int], text: str) -> Ids:
    """The ids of a text without the special ones around every text; () if others are special."""
    ids = tuple(reader.encode(text))
    for ahead in range(len(frame) + 1):
        behind = len(ids) - (len(frame) - ahead)
        if ids[:ahead] == tuple(frame[:ahead]) and ids[behind:] == tuple(frame[ahead:]):
            ids = ids[ahead:behind]
            break
    return () if any(reader.vocab.special[list(ids)]) else ids


def _single_words(found: list[tuple[str, Entry]], source: Reader, skipped: Skipped) -> list[Entry]:
    """The entries whose word is one unit: strategies look up whole words."""
    tokens = TokenBatch.from_lists([ids for _, (_, ids, _) in found], keys=range(len(found)))
    unit = "word" if source.vocab.has_words else "token"
    counts = units(tokens, source.vocab, unit).counts  # type: ignore[arg-type]
    for (line, entry), count in zip(found, counts, strict=True):
        if count > 1:
            skipped.setdefault(SEVERAL, []).append((entry[0], line))
    return [entry for (_, entry), count in zip(found, counts, strict=True) if count == 1]


def _check_ids(entries: Sequence[Entry], source: Reader, target: Reader) -> None:
    """A model reads words and translations in one row: an id must mean the same piece in both."""
    for i in sorted({i for _, _, ids in entries for i in ids}):
        if i >= source.vocab.size or source.piece(i) != target.piece(i):
            mine = repr(source.piece(i)) if i < source.vocab.size else "nothing"
            raise VocabularyError(
                f"the id {i} is {target.piece(i)!r} to the target tokenizer and {mine} to the "
                "source tokenizer; code switching needs one vocabulary for both languages"
            )


def _joined(ids: Ids) -> str:
    return " ".join(map(str, ids))


def _report(written: int, lines: int, skipped: Skipped, out: Path) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"[bold]{written}[/] entries from {lines} lines are in {escape(str(out))}")
    counts = Counter({reason: len(own) for reason, own in skipped.items()})
    for reason, count in counts.most_common():
        number, line = skipped[reason][0]
        console.print(f"{count} left out: {reason} (the first: line {number}, {escape(line)!r})")
