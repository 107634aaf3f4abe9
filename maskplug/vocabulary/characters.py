"""How a piece of text begins and ends: the classes that decide whether a word goes on there.

The ranges are those of the Unicode Character Database: scripts that LineBreak.txt calls SA (complex
context), Ideographic, Logical_Order_Exception (PropList.txt) and Invisible_Stacker
(IndicSyllabicCategory.txt). Everything else comes from ``unicodedata``.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from enum import IntEnum
from functools import lru_cache


class Edge(IntEnum):
    """How a piece begins or ends."""

    NONE = 0  # no text: a special token
    WORD = 1  # the word begins, or ends, at the piece whatever stands beside it
    LETTER = 2
    DIGIT = 3
    SYMBOL = 4  # punctuation and the like
    SINGLE = 5  # one symbol that is all of the piece (as an end only)
    BLANK = 6  # one blank that is all of the piece
    SPACE = 7  # any other white space
    NEWLINE = 8
    IDEOGRAPH = 9  # Han and Hiragana: each character is a word of its own
    KATAKANA = 10
    COMPLEX = 11  # Thai, Lao, Khmer, Burmese, …: words without blanks between them
    LEADING = 12  # what needs the character behind it: leading vowels, stackers, joiners (an end)
    EXTEND = 13  # combining marks and dependent vowels, which join what is before them
    BYTE = 14  # as a beginning: the rest of a UTF-8 character; as an end: a part of one
    UNKNOWN = 15  # bytes that belong to characters of several classes


IDEOGRAPHS = (
    *((0x2E80, 0x2FD5), (0x3005, 0x3007), (0x3021, 0x3029), (0x3038, 0x303B)),
    *((0x3041, 0x3096), (0x309D, 0x309F), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF)),
    *((0x16FE0, 0x18DFF), (0x1B000, 0x1B11F), (0x1B170, 0x1B2FB), (0x1F200, 0x1F200)),
    (0x20000, 0x323AF),
)
KATAKANA = (
    (0x30A1, 0x30FA),
    (0x30FD, 0x30FF),
    (0x31F0, 0x31FF),
    (0x32D0, 0x3357),
    (0xFF66, 0xFF9D),
)
#: Thai, Lao, Myanmar, Khmer, Tai Le, New Tai Lue, Tai Tham, Tai Viet, Ahom and their extensions.
COMPLEX = (
    *((0x0E01, 0x0E4E), (0x0E81, 0x0EDF), (0x1000, 0x109F), (0x1780, 0x17DD), (0x1950, 0x1974)),
    *((0x1980, 0x19DF), (0x1A20, 0x1AAD), (0xA9E0, 0xA9FE), (0xAA60, 0xAADF), (0x11700, 0x1173F)),
)
#: Vowels that are written before their consonant, stackers that put the next one below, and ZWJ.
LEADING = {
    *(*range(0x0E40, 0x0E45), *range(0x0EC0, 0x0EC5), *range(0x19B5, 0x19B8), 0x19BA),
    *(0xAAB5, 0xAAB6, 0xAAB9, 0xAABB, 0xAABC, 0x1039, 0x17D2, 0x1A60, 0x200C, 0x200D),
}
#: Thai and Lao vowels behind their consonant, prolonged and voiced sound marks, ZWNJ, ZWJ.
EXTENDING = {
    *(0x0E30, 0x0E32, 0x0E33, 0x0E45, 0x0EB0, 0x0EB2, 0x0EB3, 0x0EBD),
    *(0x30FC, 0xFF70, 0xFF9E, 0xFF9F, 0x200C, 0x200D, *range(0x1F3FB, 0x1F400)),
}
#: Tibetan puts one of these behind each syllable, and no blank between words.
SYLLABLE_ENDS = "\u0f0b\u0f0c"


_RANGES = sorted(
    [(*bounds, Edge.IDEOGRAPH) for bounds in IDEOGRAPHS]
    + [(*bounds, Edge.KATAKANA) for bounds in KATAKANA]
    + [(*bounds, Edge.COMPLEX) for bounds in COMPLEX]
)
_LOWS = [low for low, _, _ in _RANGES]


def _script(char: str) -> Edge:
    """The class of a script without blanks, for its letters, marks and digits; or LETTER."""
    _, high, edge = _RANGES[bisect_right(_LOWS, ord(char)) - 1]
    return edge if _LOWS[0] <= ord(char) <= high else Edge.LETTER


@lru_cache(maxsize=1 << 16)
def beginning(char: str) -> Edge:
    """The class of a character that begins a piece.

    Example:
        >>> [beginning(char).name for char in "aé1,我ンก"]
        ['LETTER', 'LETTER', 'DIGIT', 'SYMBOL', 'IDEOGRAPH', 'KATAKANA', 'COMPLEX']
    """
    code, category = ord(char), unicodedata.category(char)
    if code in EXTENDING or category[0] == "M" or char in SYLLABLE_ENDS:
        return Edge.EXTEND
    if char in "\r\n":
        return Edge.NEWLINE
    if char.isspace() or char == "\u200b":
        return Edge.SPACE
    script = _script(char)
    if script in (Edge.IDEOGRAPH, Edge.KATAKANA):
        return script
    if category[0] == "N":
        return Edge.DIGIT
    if category[0] == "L":
        return script
    return Edge.SYMBOL


def ending(text: str) -> Edge:
    """The class with which a text ends: that of its last character that is no combining mark.

    Example:
        >>> [ending(text).name for text in ("é", "กี", "เ", "ンー")]
        ['LETTER', 'COMPLEX', 'LEADING', 'KATAKANA']
    """
    if (edge := _of_last(text[-1])) != Edge.EXTEND:
        return edge
    for char in reversed(text[:-1]):
        if (edge := beginning(char)) != Edge.EXTEND:
            return edge
    if text[-1] in "\u30fc\uff70":
        return Edge.KATAKANA
    return _script(text[-1])


@lru_cache(maxsize=1 << 16)
def _of_last(char: str) -> Edge:
    if char in SYLLABLE_ENDS:
        return Edge.WORD
    return Edge.LEADING if ord(char) in LEADING else beginning(char)


def edges(text: str) -> tuple[Edge, Edge]:
    """How a text that is not empty begins and ends; a blank before a text begins a word.

    Example:
        >>> [edge.name for edge in edges(" new")], [edge.name for edge in edges(" ")]
        (['WORD', 'LETTER'], ['BLANK', 'BLANK'])
    """
    first, last = beginning(text[0]), ending(text)
    if len(text) == 1:
        if text == " ":
            return Edge.BLANK, Edge.BLANK
        return first, Edge.SINGLE if last == Edge.SYMBOL else last
    if (text[0] == " " or text[-1] == " ") and not text.isspace():
        first = Edge.WORD if text[0] == " " else first
        last = Edge.WORD if text[-1] == " " else last
    if first == Edge.NEWLINE and last != Edge.NEWLINE:
        first = Edge.SPACE  # the indentation of the next line, which goes on with line ends
    return first, last


def byte_edges(data: bytes) -> tuple[Edge, Edge]:
    """As :func:`edges`, of a text in UTF-8 that may begin or end inside a character.

    Example:
        >>> [edge.name for edge in byte_edges("我".encode()[:2])]
        ['IDEOGRAPH', 'BYTE']
        >>> [edge.name for edge in byte_edges("é".encode()[1:])]
        ['BYTE', 'UNKNOWN']
    """
    try:
        return edges(data.decode())
    except UnicodeDecodeError:
        pass
    start = next((i for i, byte in enumerate(data) if not _continues(byte)), len(data))
    lead = next((i for i in range(len(data) - 1, -1, -1) if not _continues(data[i])), None)
    text = data[start:].decode(errors="ignore")
    if lead is None:
        return Edge.BYTE, Edge.UNKNOWN
    part = _missing(data[lead:])
    last = Edge.BYTE if part else edges(text)[1] if text else Edge.UNKNOWN
    if start:
        return Edge.BYTE, last
    if lead == 0 and part:
        return _class_of_lead(data), last
    if text[:1] == " ":
        return Edge.WORD, last
    return (beginning(text[0]) if text else Edge.UNKNOWN), last


def _continues(byte: int) -> bool:
    return 0x80 <= byte < 0xC0


def _missing(data: bytes) -> bool:
    """Whether a character that begins these bytes is not complete."""
    size = 4 if data[0] >= 0xF0 else 3 if data[0] >= 0xE0 else 2 if data[0] >= 0xC0 else 1
    return len(data) < size


@lru_cache(maxsize=4096)
def _class_of_lead(lead: bytes) -> Edge:
    """The class of characters that begin with these bytes, or UNKNOWN where they have several."""
    size = 4 if lead[0] >= 0xF0 else 3 if lead[0] >= 0xE0 else 2
    rest = 6 * (size - len(lead))
    first = lead[0] & (0xFF >> (size + 1))
    for byte in lead[1:]:
        first = first << 6 | byte & 0x3F
    first <<= rest
    if rest > 12 or first + (1 << rest) > 0x110000:
        return Edge.UNKNOWN
    codes = range(max(first, (0, 0, 0x80, 0x800, 0x10000)[size]), first + (1 << rest))
    assigned = [chr(code) for code in codes if unicodedata.category(chr(code))[0] != "C"]
    kinds = [kind for kind in map(beginning, assigned) if kind != Edge.EXTEND]
    if not kinds:
        return Edge.EXTEND if assigned else Edge.SYMBOL
    # An eighth of E0 is Thai and Lao, a tenth of E1 Burmese and Khmer: neither may be taken for
    # letters, of which whole sentences would make one word.
    unspaced = [kind for kind in kinds if kind in (Edge.IDEOGRAPH, Edge.KATAKANA, Edge.COMPLEX)]
    if len(unspaced) < 0.05 * len(kinds):
        return Edge.LETTER if Edge.LETTER in kinds else Edge.SYMBOL
    common = max(unspaced, key=unspaced.count)
    return common if unspaced.count(common) >= 0.95 * len(kinds) else Edge.UNKNOWN
