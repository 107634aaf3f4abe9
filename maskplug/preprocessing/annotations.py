"""Convert the output of aligners, entity taggers and word segmenters to annotations."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from maskplug.errors import TokenError, shortened
from maskplug.types import BoolArray, IntArray

LINK = re.compile(r"(\d+)-(\d+)", re.ASCII)
#: Starts and (exclusive) ends of tokens or spans in a text.
Offsets = Sequence[tuple[int, int]]


def links(text: str) -> list[list[tuple[int, int]]]:
    """Parse word alignments in Pharaoh format, for the annotation ``links``.

    The pattern ``aligned`` reads this annotation.

    Args:
        text: one line per sentence with links such as ``3-0`` separated by spaces: source token 3
            and target token 0, counted from 0. A sentence without links is an empty line.

    Returns:
        A list of pairs (source, target) for each line.

    Raises:
        TokenError: for an invalid link; the message names line and column.

    Example:
        >>> links("0-0 1-2")
        [[(0, 0), (1, 2)]]
    """
    sentences = []
    for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
        pairs = []
        for word in re.finditer(r"\S+", line):
            link = LINK.fullmatch(word[0])
            if link is None:
                raise TokenError(
                    f"{word[0]!r} in line {number}, column {word.start() + 1} is no link; links "
                    "look like '3-0' (source-target, counted from 0), with blanks between them"
                )
            pairs.append((int(link[1]), int(link[2])))
        sentences.append(pairs)
    return sentences


def salient_layer(offsets: Offsets, spans: Offsets) -> IntArray:
    """Return the annotation ``salient`` of one text: int64, one number for each token.

    A token belongs to a span if all its characters do. A token that extends beyond the span does
    not, such as a byte-level token whose offsets include the space before it.

    Args:
        offsets: start and (exclusive) end of each token in the text, as in a tokenizer's
            ``offset_mapping``; (0, 0) for special tokens.
        spans: start and (exclusive) end of each span in characters; see :func:`byte_offsets` for
            spans in bytes. The tokens of a span get its number, counted from 1.

    Raises:
        TokenError: if a span covers no whole token, or two spans overlap.

    Example:
        >>> offsets = [(0, 0), (0, 3), (4, 7), (7, 9), (10, 12), (0, 0)]  # Ada Love lace ran
        >>> salient_layer(offsets, [(0, 9)]).tolist()
        [0, 1, 1, 1, 0, 0]
    """
    bounds = np.array(offsets, np.int64).reshape(-1, 2)
    numbers = np.zeros(len(bounds), np.int64)
    for number, (start, end) in enumerate(spans, 1):
        inside = (bounds[:, 0] >= start) & (bounds[:, 1] <= end) & (bounds[:, 0] < bounds[:, 1])
        if not inside.any():
            raise TokenError(f"the span ({start}, {end}) covers no whole token")
        if numbers[inside].any():
            other = spans[int(numbers[inside].max()) - 1]
            raise TokenError(f"the spans {tuple(other)} and ({start}, {end}) overlap")
        numbers[inside] = number
    return numbers


def byte_offsets(text: str, spans: Offsets) -> list[tuple[int, int]]:
    """Convert spans in UTF-8 bytes of a text to spans in characters.

    Raises:
        TokenError: if a span is outside the text, or starts or ends inside a character.

    Example:
        >>> byte_offsets("Zoë ran", [(0, 4)])
        [(0, 3)]
    """
    data = text.encode()
    converted = []
    for start, end in spans:
        if not 0 <= start <= end <= len(data):
            raise TokenError(f"the span ({start}, {end}) is no part of {len(data)} bytes of text")
        try:
            first = len(data[:start].decode())
            converted.append((first, first + len(data[start:end].decode())))
        except UnicodeDecodeError:
            raise TokenError(
                f"the span ({start}, {end}) begins or ends inside a character of {text!r}"
            ) from None
    return converted


def segment_words(
    text: str, offsets: Offsets, segment: Callable[[str], Iterable[str]]
) -> BoolArray:
    """Return the annotation ``word_starts`` of one text: bool, True for tokens that start a word.

    For languages without spaces. Tokens are never split: a token that crosses a word boundary
    merges the two words.

    Args:
        text: the tokenized text.
        offsets: start and (exclusive) end of each token in the text, as in a tokenizer's
            ``offset_mapping``; (0, 0) for special tokens.
        segment: splits a text into words, such as ``jieba.lcut`` or ``pythainlp.word_tokenize``;
            the concatenated words must be the text.

    Raises:
        TokenError: if the concatenated words differ from the text, or are not strings; or if an
            offset is outside the text.

    Example:
        >>> offsets = [(0, 0), (0, 1), (1, 2), (2, 3), (0, 0)]
        >>> segment_words("我喜欢", offsets, lambda text: ["我", "喜欢"]).tolist()
        [True, True, True, False, True]
    """
    words = list(segment(text))
    wrong = next((word for word in words if not isinstance(word, str)), None)
    if wrong is not None:
        raise TokenError(
            f"the segmenter returned {shortened(wrong)}; it must return a list of strings"
        )
    _check_joined(text, "".join(words))
    bounds = np.array(offsets, np.int64).reshape(-1, 2)
    outside = ((bounds < 0) | (bounds > len(text))).any(1)
    if outside.any():
        token = int(np.argmax(outside))
        raise TokenError(
            f"the offsets {tuple(bounds[token].tolist())} of token {token} are outside of the "
            f"text's {len(text)} characters; give the offsets of this text"
        )
    # The word of each character, and -1 after the last one.
    numbers = np.append(np.repeat(np.arange(len(words)), [len(word) for word in words]), -1)
    starts = np.ones(len(bounds), np.bool_)
    empty = bounds[:, 0] >= bounds[:, 1]
    first, last = numbers[bounds[:, 0]], numbers[bounds[:, 1] - 1]
    starts[1:] = (first[1:] != last[:-1]) | empty[1:] | empty[:-1]
    return starts


def _check_joined(text: str, joined: str) -> None:
    if joined == text:
        return
    where = next(
        (i for i, (a, b) in enumerate(zip(text, joined, strict=False)) if a != b),
        min(len(text), len(joined)),
    )
    raise TokenError(
        f"the segmenter's words, joined together, are another text: {joined[where : where + 20]!r} "
        f"at character {where}, where the text has {text[where : where + 20]!r}. Use a segmenter "
        "that keeps every character, blanks too (pythainlp: keep_whitespace=True)"
    )
