"""Cut texts between characters and encode the parts again."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from maskplug.errors import MaskplugWarning, VocabularyError
from maskplug.types import BoolArray, IntArray, Words, below, offsets_of
from maskplug.vocabulary import Codec, Vocabulary

#: How many tokens more than the text its parts may have in total.
ROOM = 16


@dataclass(frozen=True, eq=False)
class Pieces:
    """Rows in five pieces: fixed start, prefix, middle, suffix, fixed end.

    Attributes:
        ids: int64, flat.
        sources: int64, position of each id in the original, or -1.
        edges: int64, shape (rows, 6): boundaries of the pieces in ``ids``.
    """

    ids: IntArray
    sources: IntArray
    edges: IntArray


def require_codec(vocab: Vocabulary, user: str) -> Codec:
    """Return the vocabulary's codec.

    Raises:
        VocabularyError: if the vocabulary has none; the message names the remedies.
    """
    if vocab.codec is None:
        raise VocabularyError(
            f"{user} cuts texts between characters, and this vocabulary cannot turn ids into text: "
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
        wanted: bool for each row, True if its text is to be cut.
        words: uint32, shape (rows, 2): random words for the two cuts.
        joint: bool for each row, True if prefix and middle will be adjacent.
        codec: converts ids to text and back.
        special: bool[size], True for ids that no text may become.
    """
    ids, sources, edges = [], [], np.zeros_like(pieces.edges)
    cursor = 0
    for row, old in enumerate(pieces.edges.tolist()):
        inner = pieces.ids[old[1] : old[4]].tolist()
        parts = _parts(inner, words[row], bool(joint[row]), codec, special) if wanted[row] else None
        if parts is None:
            ids.append(pieces.ids[old[0] : old[5]])
            sources.append(pieces.sources[old[0] : old[5]])
            sizes = np.diff(old)
        else:
            start, end = slice(old[0], old[1]), slice(old[4], old[5])
            new = np.concatenate([np.array(part, np.int64) for part in parts])
            ids += [pieces.ids[start], new, pieces.ids[end]]
            sources += [pieces.sources[start], np.full(len(new), -1), pieces.sources[end]]
            sizes = np.array([old[1] - old[0], *map(len, parts), old[5] - old[4]])
        edges[row] = cursor + offsets_of(sizes)
        cursor = edges[row, 5]
    if not ids:
        return pieces
    return Pieces(np.concatenate(ids), np.concatenate(sources), edges)


def _parts(
    ids: list[int], words: Words, joint: bool, codec: Codec, special: BoolArray
) -> list[list[int]] | None:
    """Return the ids of the three parts of a text, or None if they would not restore it."""
    text = codec.decode(ids)
    if "\ufffd" in text:  # invalid UTF-8, whose bytes are already lost
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
        # Some tokenizers drop spaces at the ends of a text; this shows between other texts.
        and codec.decode([*ids, *new, *ids]) == codec.decode([*ids, *ids, *ids])
        and (not joint or codec.decode([*parts[0], *parts[1]]) == text[:b])
    )
    if faithful:
        return parts
    _warn_of_blanks(text, codec)
    return None


def _warn_of_blanks(text: str, codec: Codec) -> None:
    """Warn if the tokenizer does not decode concatenated texts: hardly any cut is possible."""
    whole = list(codec.encode(text))
    if codec.decode(whole) == text and codec.decode([*whole, *whole]) != text + text:
        warnings.warn(
            "level='character': the tokenizer adds or drops blanks where texts are joined (as "
            "SentencePiece does with a dummy prefix), so that samples are cut between tokens "
            "instead: choose level='token', or a byte-level tokenizer",
            MaskplugWarning,
            stacklevel=2,
        )
