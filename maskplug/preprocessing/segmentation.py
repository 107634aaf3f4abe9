"""Convert the output of a word segmenter to the annotation ``word_starts``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from maskplug.errors import TokenError, shortened
from maskplug.types import BoolArray


def segment_words(
    text: str,
    offsets: Sequence[tuple[int, int]],
    segment: Callable[[str], Iterable[str]],
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
    _check(text, "".join(words))
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


def _check(text: str, joined: str) -> None:
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
