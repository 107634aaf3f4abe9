"""What the spelling of a tokenizer's pieces tells: words, ends of sentences, sentinels, marks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from maskplug.arrays import BoolArray

#: Pieces that end a sentence: Latin, CJK, Arabic and Devanagari full stops and their like.
SENTENCE_ENDS = frozenset([*".!?…。！？．؟۔।", "..", "...", "!!", "!!!", "??", "?!"])

#: How sentinels are written, by number; the first spelling that a vocabulary has is its own.
SENTINELS = (re.compile(r"<extra_id_(\d+)>"), re.compile(r"<sentinel[:_](\d+)>"))
#: Pieces that no text contains: ``<mask>``, ``[de]``, but neither ``<`` nor ``[1]``.
MARK = re.compile(r"<[\w:+-]+>|\[[^\W\d][\w:+-]*\]")


def sentinels(pieces: Iterable[tuple[int, str]]) -> list[int]:
    """The ids of the span sentinels among ids and their pieces, in the order of their numbers.

    By name, for an id that is counted from the vocabulary's end is another token as soon as a user
    has added some.

    Example:
        >>> sentinels(enumerate(["<extra_id_1>", "a", "<extra_id_0>"]))
        [2, 0]
    """
    known = list(pieces)
    for spelling in SENTINELS:
        found = {int(match[1]): i for i, piece in known if (match := spelling.fullmatch(piece))}
        if found:
            return [found[number] for number in sorted(found)]
    return []


def plain(piece: str) -> str:
    """A piece without the mark by which its tokenizer shows word boundaries.

    Example:
        >>> [plain(piece) for piece in ("▁new", "##er", "low@@", "Ġthe")]
        ['new', 'er', 'low', 'the']
    """
    bare = piece.lstrip("▁Ġ").removeprefix("##").removesuffix("@@").removesuffix("</w>")
    return bare or piece


def sentence_ends(pieces: Sequence[str]) -> BoolArray:
    """bool, one a piece: True for full stops and their like, however they are spelled.

    Example:
        >>> sentence_ends(["▁.", "a", "?"]).tolist()
        [True, False, True]
    """
    return np.array([plain(piece) in SENTENCE_ENDS for piece in pieces], np.bool_)


def word_tables(pieces: Sequence[str]) -> dict[str, Any]:
    """The table that the pieces' prevailing spelling asks for: word_start or joins_next."""
    # Prevailing, not just present: GPT-2 has a few tokens that begin with ``##``.
    tests = {
        "##": [p.startswith("##") and len(p) > 2 for p in pieces],
        "@@": [p.endswith("@@") and len(p) > 2 for p in pieces],
        "</w>": [p.endswith("</w>") for p in pieces],
        "▁": [p.startswith("▁") for p in pieces],
        "Ġ": [p.startswith("Ġ") for p in pieces],
    }
    spelling = max(tests, key=lambda mark: sum(tests[mark]))
    table = np.array(tests[spelling], np.bool_)
    if not table.any():
        return {"word_start": np.ones(len(pieces), np.bool_)}
    if spelling == "@@":
        return {"joins_next": table}
    if spelling == "</w>":
        return {"joins_next": ~table}
    return {"word_start": ~table if spelling == "##" else table}
