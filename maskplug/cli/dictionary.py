"""``maskplug dictionary``: convert a dictionary to token ids for ``code_switch``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import track

from maskplug.cli.parameters import OutFile, keep_sources, writing
from maskplug.cli.tokenizers import TOKENIZER, Reader, read
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
@click.option("--source-tokenizer", "source", required=True, metavar="PATH", help=f"{TOKENIZER}.")
@click.option(
    "--target-tokenizer",
    "target",
    metavar="PATH",
    help="Tokenizer of the translations, with the same ids; by default the source tokenizer.",
)
@click.option("--out", required=True, type=OutFile(), help="Output file.")
def dictionary_command(words: str, source: str, target: str | None, out: Path) -> None:
    """Convert a text dictionary to token ids for the strategy code_switch.

    WORDS has a word and its translation on each line, separated by a tab or spaces, as in MUSE. A
    word with several translations has several lines.
    """
    keep_sources(out, words)
    readers = read(source, ""), read(source if target is None else target, "")
    lines = Resource.of(words).lines()
    skipped: Skipped = {}
    entries = _single_words(_encoded(lines, *readers, skipped), readers[0], skipped)
    _check_ids(entries, *readers)
    rows = [[" ".join(map(str, ids)) for ids in pair] for _, *pair in entries]
    if not entries:
        reasons = "; ".join(f"{len(lines)} left out: {r}" for r, lines in skipped.items())
        raise OptionError(f"{words} has no usable entry ({reasons or 'it is empty'})")
    with writing(out):
        out.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    _report(len(entries), len(lines), skipped, out)


#: Skipped lines by reason: their numbers and texts.
Skipped = dict[str, list[tuple[int, str]]]
#: Line number, ids of the word, ids of the translation.
Entry = tuple[int, Ids, Ids]


def _encoded(
    lines: Sequence[str], source: Reader, target: Reader, skipped: Skipped
) -> list[tuple[str, Entry]]:
    """Encode each line, at the beginning of and within a text; omit duplicates."""
    frames = tuple(reader.encode("") for reader in (source, target))
    encoded: dict[tuple[Ids, Ids], tuple[str, Entry]] = {}
    numbered, console = list(enumerate(lines, 1)), Console(stderr=True)
    for number, line in track(numbered, "reading words", console=console, transient=True):
        if not line.strip():
            continue
        pair = [side.strip() for side in (line.split("\t") if "\t" in line else line.split())]
        if len(pair) != 2 or not all(pair):
            skipped.setdefault(FORM, []).append((number, line))
            continue
        # A word may have other pieces within a text than at its beginning ("Ġword" and "word").
        spellings = {
            _word(source, frames[0], lead + pair[0]): _word(target, frames[1], lead + pair[1])
            for lead in ("", " ")
        }
        if not all(spellings) or not all(spellings.values()):
            skipped.setdefault(UNKNOWN, []).append((number, line))
            continue
        for ids in spellings.items():
            encoded.setdefault(ids, (line, (number, *ids)))
    return list(encoded.values())


def _word(reader: Reader, frame: Sequence[int], text: str) -> Ids:
    """Return the ids of a text without the special tokens around it; () if others are special."""
    ids = tuple(reader.encode(text))
    for start in range(len(frame) + 1):
        end = len(ids) - (len(frame) - start)
        if ids[:start] == tuple(frame[:start]) and ids[end:] == tuple(frame[start:]):
            ids = ids[start:end]
            break
    return () if any(reader.vocab.special[list(ids)]) else ids


def _single_words(
    encoded: list[tuple[str, Entry]], source: Reader, skipped: Skipped
) -> list[Entry]:
    """Return the entries whose word is one unit, since strategies look up whole words."""
    tokens = TokenBatch.from_lists([ids for _, (_, ids, _) in encoded], keys=range(len(encoded)))
    unit = "word" if source.vocab.has_words else "token"
    counts = units(tokens, source.vocab, unit).counts  # type: ignore[arg-type]
    for (line, entry), count in zip(encoded, counts, strict=True):
        if count > 1:
            skipped.setdefault(SEVERAL, []).append((entry[0], line))
    return [entry for (_, entry), count in zip(encoded, counts, strict=True) if count == 1]


def _check_ids(entries: Sequence[Entry], source: Reader, target: Reader) -> None:
    """Check that ids mean the same pieces in both, since a model reads both in one row."""
    for i in sorted({i for _, _, ids in entries for i in ids}):
        if i >= source.vocab.size or source.piece(i) != target.piece(i):
            piece = repr(source.piece(i)) if i < source.vocab.size else "nothing"
            raise VocabularyError(
                f"the id {i} is {target.piece(i)!r} in the target tokenizer and {piece} in the "
                "source tokenizer; code switching requires one vocabulary for both languages"
            )


def _report(written: int, lines: int, skipped: Skipped, out: Path) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"wrote [bold]{written}[/] entries from {lines} lines to {escape(str(out))}")
    for reason, entries in sorted(skipped.items(), key=lambda item: -len(item[1])):
        number, line = entries[0]
        first = f"(the first: line {number}, {escape(line)!r})"
        console.print(f"{len(entries)} left out: {reason} {first}")
