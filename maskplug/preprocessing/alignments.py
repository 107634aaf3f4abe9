"""Word alignments in Pharaoh format."""

from __future__ import annotations

import re

from maskplug.errors import TokenError

LINK = re.compile(r"(\d+)-(\d+)", re.ASCII)


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
