"""What the spelling of a tokenizer's pieces tells: words, ends of sentences, sentinels, marks."""

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

#: Pieces that end a sentence: Latin, CJK, Arabic and Devanagari full stops and their like.
SENTENCE_ENDS = frozenset([*".!?…。！？．؟۔।", "..", "...", "!!", "!!!", "??", "?!"])

#: How pieces show where words begin or go on; " " stands for blanks as they are, "" for no mark.
Mark = Literal["▁", "Ġ", "##", "@@", "</w>", " ", ""]
#: What the characters of pieces stand for: themselves, or bytes of a text in UTF-8.
Encoding = Literal["text", "byte-level", "latin-1"]

#: A byte of a text, as SentencePiece writes what it has no piece for.
BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
#: Words may begin with a name as well, as they do in mT5: "▁<extra_id_0>".
_MARKED = r"(?:[▁Ġ]|##)?(?:{})(?:</w>|@@)?"
#: How sentinels are written, by number; the first spelling that a vocabulary has is its own.
SENTINELS = tuple(
    re.compile(_MARKED.format(name)) for name in (r"<extra_id_(\d+)>", r"<sentinel[:_](\d+)>")
)
#: Pieces that no text contains: ``<mask>``, ``[de]``, but neither ``<`` nor ``[1]`` nor a byte.
MARK = re.compile(
    _MARKED.format(r"<(?!0x[0-9A-Fa-f]{2}>)[\w:+-]+>|\[[^\W\d][\w:+-]*\]"),
)

#: The share of pieces of two and more characters that must carry a mark beside text. Vocabularies
#: of WordPiece, byte-level BPE, SentencePiece and subword-nmt have 0.22 and more at every size from
#: 200 to 32,000 pieces; words that happen to begin with a mark are a few in a thousand. Bare marks
#: and single characters count for nothing: ``Ġ`` is a letter of Maltese.
ENOUGH = 0.1


def sentinels(pieces: Iterable[tuple[int, str]]) -> list[int]:
    """The ids of the span sentinels among ids and their pieces, in the order of their numbers.

    By name, for an id that is counted from the vocabulary's end is another token as soon as a user
    has added some. Where a number is spelled twice, the shorter spelling is its sentinel.

    Example:
        >>> sentinels(enumerate(["<extra_id_1>", "a", "▁<extra_id_0>"]))
        [2, 0]
    """
    known = sorted((item for item in pieces if "<" in item[1]), key=lambda item: -len(item[1]))
    for spelling in SENTINELS:
        found = {int(match[1]): i for i, piece in known if (match := spelling.fullmatch(piece))}
        if found:
            return [found[number] for number in sorted(found)]
    return []


def is_sentinel(piece: str) -> bool:
    """Whether a piece is spelled as a span sentinel is, with a mark of words or without.

    Example:
        >>> [is_sentinel(piece) for piece in ("<extra_id_7>", "▁<extra_id_7>", "<extra>")]
        [True, True, False]
    """
    return "<" in piece and any(spelling.fullmatch(piece) for spelling in SENTINELS)


def plain(piece: str, mark: str | None = None) -> str:
    """A piece without the mark by which its tokenizer shows word boundaries.

    Args:
        piece: as the tokenizer spells it.
        mark: of the vocabulary (``Vocabulary.word_mark``); None takes off any mark.

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
    """The byte that each character of a byte-level piece stands for, as GPT-2 numbers them."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in shown]
    return {chr(byte): byte for byte in shown} | {
        chr(0x100 + i): byte for i, byte in enumerate(others)
    }


@dataclass(frozen=True, eq=False)
class Spelling:
    """How a tokenizer spells its pieces.

    Attributes:
        mark: shows where words begin ("▁", "Ġ", " "), go on ("##", "@@") or end ("</w>"); "" if
            nothing shows it.
        encoding: "text" where a piece's characters stand for themselves; "byte-level" (as GPT-2
            numbers them) or "latin-1" where they stand for bytes of a text in UTF-8.
        joins: bool[16, 16], the pairs that the pre-tokenizer leaves together, by the last and the
            first :class:`~maskplug.vocabulary.characters.Edge`; None where it is not known.
    """

    mark: Mark
    encoding: Encoding = "text"
    joins: BoolArray | None = None

    def edges(self, piece: str) -> tuple[Edge, Edge]:
        """How a piece begins and ends.

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
        # The rest of a character belongs to it, whatever marks say.
        return (
            Edge.WORD if opens and first != Edge.BYTE else first,
            Edge.WORD if closes and last not in (Edge.BYTE, Edge.UNKNOWN) else last,
        )

    def _parted(self, piece: str) -> tuple[str | bytes, bool, bool]:
        """The text of a piece, and whether its mark says that a word begins and ends there."""
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
        """Where the words of these pieces begin.

        Args:
            pieces: the text of every id.
            whole: ids that are a word each, as tokens are that a user has added.
        """
        pairs = chain.from_iterable(map(self.edges, pieces))
        first, last = np.fromiter(pairs, np.uint8, 2 * len(pieces)).reshape(-1, 2).T.copy()
        whole = list(whole)
        first[whole] = last[whole] = Edge.WORD
        default = BY_CLASSES if self.mark == "Ġ" else BY_MARKS
        joins = default if self.joins is None else self.joins
        return WordRule(first, last, with_scripts(joins))

    def sentence_ends(self, pieces: Sequence[str]) -> BoolArray:
        """bool, one a piece: True for full stops and their like, however they are spelled.

        Example:
            >>> Spelling("▁").sentence_ends(["▁.", "a", "?"]).tolist()
            [True, False, True]
        """
        # Few pieces end as a full stop does: the others need not be read.
        final = {char for end in SENTENCE_ENDS for char in (end[-1], _spelled(end)[-1])}
        final |= {"▁", ">", "@"}
        return np.array(
            [p[-1:] in final and self._text(p) in SENTENCE_ENDS for p in pieces], np.bool_
        )

    def _text(self, piece: str) -> str:
        text = self._parted(piece)[0]
        return (text if isinstance(text, str) else text.decode(errors="replace")).strip(" ")


def _spelled(text: str) -> str:
    """A text as byte-level pieces spell it."""
    chars = {byte: char for char, byte in _bytes_of_characters().items()}
    return "".join(chars[byte] for byte in text.encode())


def spelling_of(pieces: Sequence[str]) -> Spelling:
    """The spelling of a vocabulary for which its ordinary pieces are evidence.

    Without enough of it (see ``ENOUGH``) there is no mark, and each token is a word; but in a
    vocabulary of characters with a blank among them, blanks stand between words.

    Example:
        >>> spelling_of(["▁new", "er", "▁day"]).mark, spelling_of(["Ġunju", *"abcdefghijk"]).mark
        ('▁', '')
    """
    long = [piece for piece in pieces if len(piece) > 1]
    if len(long) < ENOUGH * len(pieces):
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
    if counts[mark] < max(1, ENOUGH * len(long)):
        return Spelling("")
    if mark != "Ġ":
        return Spelling(mark)
    # Letters that stand for no bytes say that Ġ is one of them.
    table = _bytes_of_characters().keys()
    by_bytes = sum(table >= set(piece) for piece in long) >= 0.9 * len(long)
    return Spelling("Ġ", "byte-level") if by_bytes else Spelling("")
