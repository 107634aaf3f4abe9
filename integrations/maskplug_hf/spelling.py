"""How a Hugging Face tokenizer spells words: asked of its decoder and its pre-tokenizer first."""

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

#: Texts that end, and that begin, as each class says. What follows the second one is part of the
#: question: white space before a word is divided otherwise than at the end of a text.
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
    """The spelling of a tokenizer of transformers, fast or slow.

    Args:
        tokenizer: is asked for its decoder, its model and its pre-tokenizer, if it is fast.
        pieces: the ordinary ones, which are the evidence where the tokenizer does not say.
    """
    if _of_bytes(tokenizer, pieces):
        return Spelling(" ", "latin-1")
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return spelling_of(pieces)
    mark, byte_level = _asked(backend)
    if mark is None:
        mark = spelling_of(pieces).mark
        byte_level = byte_level or mark == "Ġ"
    encoding: Encoding = "byte-level" if byte_level else "text"
    if mark == "##":  # which says of every piece whether it goes on with the word before it
        return Spelling(mark, encoding)
    # Where numbers are cut into groups of three digits, each group is one piece, if there are all.
    groups = sum(len(piece) == 3 and piece.isdecimal() for piece in pieces) == 1000
    lasts = LASTS | {Edge.DIGIT: "111"} if groups else LASTS
    return Spelling(mark, encoding, _joins(backend, lasts, None if mark == "Ġ" else BY_MARKS))


def _of_bytes(tokenizer: Any, pieces: Sequence[str]) -> bool:
    """Whether each token is one byte, as of ByT5, which shows them as the characters 0 to 255."""
    if not {chr(byte) for byte in range(256)} <= set(pieces):
        return False
    ids = tokenizer("é", add_special_tokens=False)["input_ids"]
    return list(tokenizer.convert_ids_to_tokens(ids)) == ["Ã", "©"]


def _asked(backend: Any) -> tuple[Mark | None, bool]:
    """The mark that a fast tokenizer's own parts tell, and whether its pieces are bytes."""
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
    """The settings of a decoder, normalizer or pre-tokenizer and of all parts in it."""
    if part is None:
        return
    try:
        state = json.loads(part.__getstate__())
    except Exception:  # a part written in Python, which has no settings to read
        return
    inside = [state]
    for one in inside:
        yield one
        for name in ("decoders", "normalizers", "pretokenizers"):
            inside += one.get(name, [])


def _joins(backend: Any, lasts: dict[Edge, str], default: BoolArray | None) -> BoolArray | None:
    """The pairs that the pre-tokenizer leaves together; ``default`` where it divides no words."""
    pre_tokenizer = backend.pre_tokenizer
    if pre_tokenizer is None or not _divides(pre_tokenizer, "a", " b"):
        return default
    joins = np.zeros((SIZE, SIZE), np.bool_)
    for (last, before), (first, (text, after)) in product(lasts.items(), FIRSTS.items()):
        if (last, first) == (Edge.SPACE, Edge.BLANK):
            after = "b"  # behind a run of blanks, one that is not part of it belongs to a word
        # Behind a letter, so that a blank that is put before the text changes nothing.
        joins[last, first] = not _divides(pre_tokenizer, "a" + before, text + after)
    if default is None:
        return joins
    if not any(start <= 1 < end for _, (start, end) in pre_tokenizer.pre_tokenize_str("a b")):
        joins[Edge.BLANK] = True  # it takes blanks away, and puts marks in their place afterwards
    return joins & default


def _divides(pre_tokenizer: Any, before: str, after: str) -> bool:
    """Whether the pre-tokenizer puts a boundary between two parts of a text."""
    spans = pre_tokenizer.pre_tokenize_str(before + after)
    return not any(start < len(before) < end for _, (start, end) in spans)
