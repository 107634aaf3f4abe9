"""Cuts between the characters of a text: rows whose parts are encoded anew."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from maskplug.errors import MaskplugWarning, VocabularyError
from maskplug.types import BoolArray, IntArray, Words, below
from maskplug.vocabulary import Codec, Vocabulary

#: By how many tokens the parts of a text may together be longer than the text was.
ROOM = 16


@dataclass(frozen=True, eq=False)
class Pieces:
    """Rows in five pieces: what stays in front, prefix, middle, suffix, what stays at the end.

    Attributes:
        ids: int64, flat.
        sources: int64, where each of them stood in the original, or -1.
        edges: int64, shape (rows, 6): the positions in ``ids`` between which the pieces stand.
    """

    ids: IntArray
    sources: IntArray
    edges: IntArray


def require_codec(vocab: Vocabulary, who: str) -> Codec:
    """The codec, or an error that names the ways out.

    Raises:
        VocabularyError: when the vocabulary has none.
    """
    if vocab.codec is None:
        raise VocabularyError(
            f"{who} cuts texts between characters, and this vocabulary cannot turn ids into text: "
            "give it a codec (Vocabulary(codec=…): an object with encode(text) and decode(ids)), "
            'or choose level="token"'
        )
    return vocab.codec


def cut_texts(
    pieces: Pieces,
    wanted: BoolArray,
    words: Words,
    joint: BoolArray,
    codec: Codec,
    special: BoolArray,
) -> Pieces:
    """Cut the texts of some rows between characters; the others stay as they are.

    Args:
        pieces: all rows, cut between tokens.
        wanted: one bool a row: True where the text is to be cut.
        words: uint32, shape (rows, 2): what the two cuts are drawn with.
        joint: one bool a row: True where prefix and middle will stand side by side.
        codec: turns ids into text and back.
        special: bool[size], True for ids that no text may become.
    """
    ids, sources, edges = [], [], np.zeros_like(pieces.edges)
    cursor = 0
    for row, old in enumerate(pieces.edges.tolist()):
        inner = pieces.ids[old[1] : old[4]].tolist()
        parts = _parts(inner, words[row], bool(joint[row]), codec, special) if wanted[row] else None
        if parts is None:
            own = [pieces.ids[old[0] : old[5]]]
            came = [pieces.sources[old[0] : old[5]]]
            sizes = np.diff(old)
        else:
            new = [i for part in parts for i in part]
            own = [
                pieces.ids[old[0] : old[1]],
                np.array(new, np.int64),
                pieces.ids[old[4] : old[5]],
            ]
            came = [
                pieces.sources[old[0] : old[1]],
                np.full(len(new), -1),
                pieces.sources[old[4] : old[5]],
            ]
            sizes = np.array([len(own[0]), *map(len, parts), len(own[2])])
        ids += own
        sources += came
        edges[row] = cursor + np.concatenate(([0], np.cumsum(sizes)))
        cursor = edges[row, 5]
    if not ids:
        return pieces
    return Pieces(np.concatenate(ids), np.concatenate(sources), edges)


def _parts(
    ids: list[int], words: Words, joint: bool, codec: Codec, special: BoolArray
) -> list[list[int]] | None:
    """The ids of the three parts of a text, or None where they would not give it back."""
    text = codec.decode(ids)
    if "\ufffd" in text:  # bytes that are no text: what they were is lost already
        return None
    a, b = sorted(below(words, np.full(2, len(text) + 1)).tolist())
    texts = text[:a], text[a:b], text[b:]
    parts = [list(codec.encode(part)) if part else [] for part in texts]
    new = [i for part in parts for i in part]
    faithful = (
        len(new) <= len(ids) + ROOM
        and all(0 <= i < len(special) and not special[i] for i in new)
        and all(codec.decode(p) == t for p, t in zip(parts, texts, strict=True))
        and codec.decode(new) == text
        # Blanks at the ends of a text, which some tokenizers do not decode, show between two texts.
        and codec.decode([*ids, *new, *ids]) == codec.decode([*ids, *ids, *ids])
        and (not joint or codec.decode([*parts[0], *parts[1]]) == text[:b])
    )
    if faithful:
        return parts
    _warn_of_blanks(text, codec)
    return None


def _warn_of_blanks(text: str, codec: Codec) -> None:
    """Warn where tokens of two texts side by side are another text: hardly any cut is possible."""
    whole = list(codec.encode(text))
    if codec.decode(whole) == text and codec.decode([*whole, *whole]) != text + text:
        warnings.warn(
            "level='character': the tokenizer adds or drops blanks where texts are joined (as "
            "SentencePiece does with a dummy prefix), so that samples are cut between tokens "
            "instead: choose level='token', or a byte-level tokenizer",
            MaskplugWarning,
            stacklevel=2,
        )
