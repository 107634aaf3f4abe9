"""How a Hugging Face tokenizer spells words, from its decoder and its pre-tokenizer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from maskplug.types import BoolArray
from maskplug.vocabulary.characters import Edge
from maskplug.vocabulary.spelling import Encoding, Mark, Spelling, spelling_of
from maskplug.vocabulary.words import BY_MARKS, SIZE

#: Texts that end with, and that begin with, a character of each class. The text after the second
#: one matters: whitespace before a word is split differently from whitespace at the end of a text.
LASTS = {
    Edge.LETTER: "a",
    Edge.DIGIT: "1",
    Edge.SYMBOL: "!!",
    Edge.SINGLE: "!",
    Edge.BLANK: " ",
    Edge.SPACE: "\t",
    Edge.NEWLINE: "\n",
}
FIRSTS = {
    Edge.LETTER: ("b", ""),
    Edge.DIGIT: ("2", ""),
    Edge.SYMBOL: ("?", "?"),
    Edge.BLANK: (" ", " b"),
    Edge.SPACE: ("  ", " b"),
    Edge.NEWLINE: ("\n", "b"),
}


def spelling(tokenizer: Any, pieces: Sequence[str]) -> Spelling:
    """Return the spelling of a tokenizer of transformers, fast or slow.

    Args:
        tokenizer: decoder, model and pre-tokenizer of a fast one determine the spelling.
        pieces: the ordinary pieces, from which it is inferred otherwise.
    """
    if _of_bytes(tokenizer, pieces):
        return Spelling(" ", "latin-1")
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return spelling_of(pieces)
    mark, byte_level = _declared(backend)
    if mark is None:
        mark = spelling_of(pieces).mark
        byte_level = byte_level or mark == "Ġ"
    encoding: Encoding = "byte-level" if byte_level else "text"
    if mark == "##":  # it marks every piece that continues a word
        return Spelling(mark, encoding)
    # Numbers are split into groups of three digits if every group is one piece.
    groups = sum(len(piece) == 3 and piece.isdecimal() for piece in pieces) == 1000
    lasts = LASTS | {Edge.DIGIT: "111"} if groups else LASTS
    return Spelling(mark, encoding, _joins(backend, lasts, None if mark == "Ġ" else BY_MARKS))


def _of_bytes(tokenizer: Any, pieces: Sequence[str]) -> bool:
    """Whether each token is one byte, as of ByT5, whose pieces are the characters 0 to 255."""
    if not {chr(byte) for byte in range(256)} <= set(pieces):
        return False
    ids = tokenizer("é", add_special_tokens=False)["input_ids"]
    return list(tokenizer.convert_ids_to_tokens(ids)) == ["Ã", "©"]


def _declared(backend: Any) -> tuple[Mark | None, bool]:
    """Return the mark in the settings of a fast tokenizer, and whether its pieces are bytes."""
    parts = list(_parts(backend.decoder)) + list(_parts(backend.pre_tokenizer))
    kinds = {part["type"] for part in parts}
    byte_level = "ByteLevel" in kinds
    if getattr(backend.model, "end_of_word_suffix", None) == "</w>":
        return "</w>", byte_level
    if getattr(backend.model, "continuing_subword_prefix", None) == "##":
        return "##", byte_level
    if byte_level:
        return "Ġ", True
    blanks = [part.get("replacement") for part in parts if part["type"] == "Metaspace"]
    blanks += [
        part.get("pattern", {}).get("String")
        for part in parts
        if part["type"] == "Replace" and part.get("content") == " "
    ]
    return ("▁" if "▁" in blanks else None), False


def _parts(part: Any) -> Iterator[dict[str, Any]]:
    """Yield the settings of a decoder, normalizer or pre-tokenizer, and of its parts."""
    if part is None:
        return
    try:
        state = json.loads(part.__getstate__())
    except Exception:  # a part written in Python has no settings
        return
    states = [state]
    for state in states:
        yield state
        for name in ("decoders", "normalizers", "pretokenizers"):
            states += state.get(name, [])


def _joins(backend: Any, lasts: dict[Edge, str], default: BoolArray | None) -> BoolArray | None:
    """Return which pairs are not split; ``default`` if the pre-tokenizer splits no words."""
    pre_tokenizer = backend.pre_tokenizer
    if pre_tokenizer is None or not _splits(pre_tokenizer, "a", " b"):
        return default
    joins = np.zeros((SIZE, SIZE), np.bool_)
    for (last, before), (first, (text, after)) in product(lasts.items(), FIRSTS.items()):
        if (last, first) == (Edge.SPACE, Edge.BLANK):
            after = "b"  # a blank after a run of blanks, but not part of it, belongs to a word
        # After a letter, so that a blank that is inserted before the text has no effect.
        joins[last, first] = not _splits(pre_tokenizer, "a" + before, text + after)
    if default is None:
        return joins
    if not any(start <= 1 < end for _, (start, end) in pre_tokenizer.pre_tokenize_str("a b")):
        joins[Edge.BLANK] = True  # blanks are removed, and replaced by marks later
    return joins & default


def _splits(pre_tokenizer: Any, before: str, after: str) -> bool:
    """Whether the pre-tokenizer splits a text between two parts."""
    spans = pre_tokenizer.pre_tokenize_str(before + after)
    return not any(start < len(before) < end for _, (start, end) in spans)
