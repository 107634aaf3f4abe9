"""Classes of the first and last character of a piece, which determine word boundaries.

Ranges are from the Unicode Character Database: SA (complex context) in LineBreak.txt,
Ideographic and Logical_Order_Exception in PropList.txt, Invisible_Stacker in
IndicSyllabicCategory.txt. The rest comes from ``unicodedata``.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from enum import IntEnum
from functools import lru_cache


class Edge(IntEnum):
    """The class of the first or last character of a piece."""

    NONE = 0  # no text: a special token
    WORD = 1  # a word boundary, whatever the neighbour is
    LETTER = 2
    DIGIT = 3
    SYMBOL = 4  # punctuation and other symbols
    SINGLE = 5  # a piece of one symbol (last edge only)
    BLANK = 6  # a piece of one space
    SPACE = 7  # other whitespace
    NEWLINE = 8
    IDEOGRAPH = 9  # Han and Hiragana: each character is a word
    KATAKANA = 10
    COMPLEX = 11  # Thai, Lao, Khmer, Burmese, …: scripts without spaces
    LEADING = 12  # leading vowels, stackers, joiners, which need the next character (last edge)
    EXTEND = 13  # combining marks and dependent vowels, which join the previous character
    BYTE = 14  # first edge: the rest of a UTF-8 character; last edge: part of one
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
#: Thai, Lao, Myanmar, Khmer, Tai Le, New Tai Lue, Tai Tham, Tai Viet, Ahom, with extensions.
COMPLEX = (
    *((0x0E01, 0x0E4E), (0x0E81, 0x0EDF), (0x1000, 0x109F), (0x1780, 0x17DD), (0x1950, 0x1974)),
    *((0x1980, 0x19DF), (0x1A20, 0x1AAD), (0xA9E0, 0xA9FE), (0xAA60, 0xAADF), (0x11700, 0x1173F)),
)
#: Vowels written before their consonant, stackers, and ZWJ.
LEADING = {
    *(*range(0x0E40, 0x0E45), *range(0x0EC0, 0x0EC5), *range(0x19B5, 0x19B8), 0x19BA),
    *(0xAAB5, 0xAAB6, 0xAAB9, 0xAABB, 0xAABC, 0x1039, 0x17D2, 0x1A60, 0x200C, 0x200D),
}
#: Thai and Lao vowels after their consonant, prolonged and voiced sound marks, ZWNJ, ZWJ.
EXTENDING = {
    *(0x0E30, 0x0E32, 0x0E33, 0x0E45, 0x0EB0, 0x0EB2, 0x0EB3, 0x0EBD),
    *(0x30FC, 0xFF70, 0xFF9E, 0xFF9F, 0x200C, 0x200D, *range(0x1F3FB, 0x1F400)),
}
#: Syllable ends of Tibetan, which has no spaces between words.
SYLLABLE_ENDS = "\u0f0b\u0f0c"


_RANGES = sorted(
    [(*bounds, Edge.IDEOGRAPH) for bounds in IDEOGRAPHS]
    + [(*bounds, Edge.KATAKANA) for bounds in KATAKANA]
    + [(*bounds, Edge.COMPLEX) for bounds in COMPLEX]
)
_LOWS = [low for low, _, _ in _RANGES]


def _script(char: str) -> Edge:
    """Return the class of the script of a character; LETTER for scripts with spaces."""
    _, high, edge = _RANGES[bisect_right(_LOWS, ord(char)) - 1]
    return edge if _LOWS[0] <= ord(char) <= high else Edge.LETTER


@lru_cache(maxsize=1 << 16)
def beginning(char: str) -> Edge:
    """Return the class of a character at the beginning of a piece.

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
    """Return the class of the last character of a text that is not a combining mark.

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
    """Return the first and last edge of a text that is not empty; a leading space starts a word.

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
        first = Edge.SPACE  # line ends with the indentation of the next line
    return first, last


def byte_edges(data: bytes) -> tuple[Edge, Edge]:
    """Return the edges of UTF-8 bytes, which may begin or end inside a character.

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
    """Return whether the first character of the bytes is incomplete."""
    size = 4 if data[0] >= 0xF0 else 3 if data[0] >= 0xE0 else 2 if data[0] >= 0xC0 else 1
    return len(data) < size


@lru_cache(maxsize=4096)
def _class_of_lead(lead: bytes) -> Edge:
    """Return the class of characters that begin with these bytes; UNKNOWN if mixed."""
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
    # An eighth of E0 is Thai and Lao, a tenth of E1 Burmese and Khmer. Treating them as letters
    # would merge sentences to one word.
    unspaced = [kind for kind in kinds if kind in (Edge.IDEOGRAPH, Edge.KATAKANA, Edge.COMPLEX)]
    if len(unspaced) < 0.05 * len(kinds):
        return Edge.LETTER if Edge.LETTER in kinds else Edge.SYMBOL
    common = max(unspaced, key=unspaced.count)
    return common if unspaced.count(common) >= 0.95 * len(kinds) else Edge.UNKNOWN
