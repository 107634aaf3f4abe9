"""What the spelling of a tokenizer's pieces tells: where words begin and where sentences end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from maskplug.arrays import BoolArray

#: Pieces that end a sentence: Latin, CJK, Arabic and Devanagari full stops and their like.
SENTENCE_ENDS = frozenset([*".!?…。！？．؟۔।", "..", "...", "!!", "!!!", "??", "?!"])


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
