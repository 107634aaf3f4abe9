"""The spelling conventions of tokenizers: word marks, sentence ends, sentinels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Literal

import numpy as np

from maskplug.types import BoolArray
from maskplug.vocabulary.characters import Edge, byte_edges, edges
from maskplug.vocabulary.words import BY_CLASSES, BY_MARKS, WordRule, with_scripts

#: Sentence-final punctuation: Latin, CJK, Arabic, Devanagari.
SENTENCE_ENDS = frozenset([*".!?…。！？．؟۔।", "..", "...", "!!", "!!!", "??", "?!"])

#: Word boundary marks; " " for literal spaces, "" for none.
Mark = Literal["▁", "Ġ", "##", "@@", "</w>", " ", ""]
#: The characters of pieces are text, or represent UTF-8 bytes.
Encoding = Literal["text", "byte-level", "latin-1"]

#: Byte fallback pieces of SentencePiece.
BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
#: Names can carry word marks, as in mT5: "▁<extra_id_0>".
_MARKED = r"(?:[▁Ġ]|##)?(?:{})(?:</w>|@@)?"
#: Spellings of sentinels; the first that a vocabulary contains is used.
SENTINELS = tuple(
    re.compile(_MARKED.format(name)) for name in (r"<extra_id_(\d+)>", r"<sentinel[:_](\d+)>")
)
#: Spellings of special tokens: ``<mask>``, ``[de]``, but neither ``<`` nor ``[1]`` nor bytes.
MARK = re.compile(
    _MARKED.format(r"<(?!0x[0-9A-Fa-f]{2}>)[\w:+-]+>|\[[^\W\d][\w:+-]*\]"),
)

#: The minimum share of pieces of two or more characters that carry a mark. Vocabularies of
#: WordPiece, byte-level BPE, SentencePiece and subword-nmt have at least 0.22 at all sizes from 200
#: to 32,000 pieces; accidental marks are below 0.01. Bare marks and single characters are ignored:
#: ``Ġ`` is a letter of Maltese.
MIN_MARKED = 0.1


def sentinels(pieces: Iterable[tuple[int, str]]) -> list[int]:
    """Return the ids of span sentinels in the order of their numbers.

    Sentinels are found by name, since added tokens change positions from the end of a vocabulary.
    If a number has two spellings, the shorter one is used.

    Example:
        >>> sentinels(enumerate(["<extra_id_1>", "a", "▁<extra_id_0>"]))
        [2, 0]
    """
    known = sorted((item for item in pieces if "<" in item[1]), key=lambda item: -len(item[1]))
    for spelling in SENTINELS:
        by_number = {int(match[1]): i for i, piece in known if (match := spelling.fullmatch(piece))}
        if by_number:
            return [by_number[number] for number in sorted(by_number)]
    return []


def is_sentinel(piece: str) -> bool:
    """Return whether a piece is spelled like a span sentinel, with or without a word mark.

    Example:
        >>> [is_sentinel(piece) for piece in ("<extra_id_7>", "▁<extra_id_7>", "<extra>")]
        [True, True, False]
    """
    return "<" in piece and any(spelling.fullmatch(piece) for spelling in SENTINELS)


def plain(piece: str, mark: str | None = None) -> str:
    """Return a piece without its word boundary mark.

    Args:
        piece: the spelling of the tokenizer.
        mark: ``Vocabulary.word_mark``; None removes any mark.

    Example:
        >>> [plain(piece) for piece in ("▁new", "##er", "low@@", "Ġthe")]
        ['new', 'er', 'low', 'the']
        >>> plain("Ġunju", mark="")
        'Ġunju'
    """
    bare = piece
    if mark in (None, "▁", "Ġ"):
        bare = bare.lstrip(mark or "▁Ġ")
    if mark in (None, "##"):
        bare = bare.removeprefix("##")
    for suffix in ("@@", "</w>"):
        if mark in (None, suffix):
            bare = bare.removesuffix(suffix)
    return bare or piece


@cache
def _bytes_of_characters() -> dict[str, int]:
    """Return the byte that each character of a byte-level piece represents (GPT-2)."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in shown]
    return {chr(byte): byte for byte in shown} | {
        chr(0x100 + i): byte for i, byte in enumerate(others)
    }


@dataclass(frozen=True, eq=False)
class Spelling:
    """The spelling of the pieces of a tokenizer.

    Attributes:
        mark: marks the start ("▁", "Ġ", " "), continuation ("##", "@@") or end ("</w>") of words;
            "" for none.
        encoding: "text", or "byte-level" (GPT-2) or "latin-1" if characters represent UTF-8 bytes.
        joins: bool[16, 16], the pairs that the pre-tokenizer does not split, by the last and first
            :class:`~maskplug.vocabulary.characters.Edge`; None if unknown.
    """

    mark: Mark
    encoding: Encoding = "text"
    joins: BoolArray | None = None

    def edges(self, piece: str) -> tuple[Edge, Edge]:
        """Return the first and the last edge of a piece.

        Example:
            >>> [edge.name for edge in Spelling("▁").edges("▁new")]
            ['WORD', 'LETTER']
            >>> [edge.name for edge in Spelling("▁").edges("<0xE6>")]
            ['IDEOGRAPH', 'BYTE']
        """
        text, opens, closes = self._parted(piece)
        if not text:
            return Edge.LETTER if piece else Edge.WORD, Edge.WORD
        first, last = byte_edges(text) if isinstance(text, bytes) else edges(text)
        # Continuation bytes always join their character.
        return (
            Edge.WORD if opens and first != Edge.BYTE else first,
            Edge.WORD if closes and last not in (Edge.BYTE, Edge.UNKNOWN) else last,
        )

    def _parted(self, piece: str) -> tuple[str | bytes, bool, bool]:
        """Return the text of a piece, and whether its mark starts and ends a word."""
        if piece[:3] == "<0x" and self.encoding == "text" and (match := BYTE.fullmatch(piece)):
            bare = self.mark not in ("▁", " ")
            return bytes([int(match[1], 16)]), bare, bare
        text, opens, closes = piece, self.mark in ("##", ""), self.mark in ("@@", "")
        if self.mark == "##" and piece.startswith("##") and len(piece) > 2:
            text, opens = piece[2:], False
        elif self.mark == "@@" and piece.endswith("@@") and len(piece) > 2:
            text, closes = piece[:-2], False
        elif self.mark == "</w>" and piece.endswith("</w>"):
            text, closes = piece[:-4], True
        elif self.mark == "▁":
            text = piece.replace("▁", " ")
        if self.encoding == "latin-1":
            return text.encode("latin-1", "ignore"), opens, closes
        if self.encoding == "byte-level":
            table = _bytes_of_characters()
            if all(char in table for char in text):
                return bytes(table[char] for char in text), opens, closes
        return text, opens, closes

    def rule(self, pieces: Sequence[str], whole: Iterable[int] = ()) -> WordRule:
        """Return the word rule of a vocabulary.

        Args:
            pieces: the text of every id.
            whole: ids that are words, such as added tokens.
        """
        pairs = chain.from_iterable(map(self.edges, pieces))
        first, last = np.fromiter(pairs, np.uint8, 2 * len(pieces)).reshape(-1, 2).T.copy()
        whole = list(whole)
        first[whole] = last[whole] = Edge.WORD
        default = BY_CLASSES if self.mark == "Ġ" else BY_MARKS
        joins = default if self.joins is None else self.joins
        return WordRule(first, last, with_scripts(joins))

    def sentence_ends(self, pieces: Sequence[str]) -> BoolArray:
        """Return one bool per piece: True for sentence-final punctuation.

        Example:
            >>> Spelling("▁").sentence_ends(["▁.", "a", "?"]).tolist()
            [True, False, True]
        """
        # A fast filter by the last character.
        final = {char for end in SENTENCE_ENDS for char in (end[-1], _spelled(end)[-1])}
        final |= {"▁", ">", "@"}
        return np.array(
            [p[-1:] in final and self._text(p) in SENTENCE_ENDS for p in pieces], np.bool_
        )

    def _text(self, piece: str) -> str:
        text = self._parted(piece)[0]
        return (text if isinstance(text, str) else text.decode(errors="replace")).strip(" ")


def _spelled(text: str) -> str:
    """Return the byte-level spelling of a text."""
    chars = {byte: char for char, byte in _bytes_of_characters().items()}
    return "".join(chars[byte] for byte in text.encode())


def spelling_of(pieces: Sequence[str]) -> Spelling:
    """Detect the spelling from the ordinary pieces of a vocabulary.

    With fewer marked pieces than ``MIN_MARKED`` there is no mark, and each token is a word; in
    vocabularies of characters that contain a space, spaces separate words.

    Example:
        >>> spelling_of(["▁new", "er", "▁day"]).mark, spelling_of(["Ġunju", *"abcdefghijk"]).mark
        ('▁', '')
    """
    long = [piece for piece in pieces if len(piece) > 1]
    if len(long) < MIN_MARKED * len(pieces):
        return Spelling(" " if " " in pieces else "")
    counts: dict[Mark, int] = {
        "##": sum(p[:2] == "##" and len(p) > 2 for p in long),
        "@@": sum(p[-2:] == "@@" and len(p) > 2 for p in long),
        "</w>": sum(p[-4:] == "</w>" and len(p) > 4 for p in long),
        "▁": sum("▁" in (p[0], p[-1]) and p.count("▁") < len(p) for p in long),
        "Ġ": sum(p[0] == "Ġ" and p.count("Ġ") < len(p) for p in long),
        " ": sum(p[0] == " " and not p.isspace() for p in long),
    }
    mark = max(counts, key=lambda name: counts[name])
    if counts[mark] < max(1, MIN_MARKED * len(long)):
        return Spelling("")
    if mark != "Ġ":
        return Spelling(mark)
    # Characters outside the byte table show that Ġ is a letter.
    table = _bytes_of_characters().keys()
    by_bytes = sum(table >= set(piece) for piece in long) >= 0.9 * len(long)
    return Spelling("Ġ", "byte-level") if by_bytes else Spelling("")
