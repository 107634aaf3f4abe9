"""What masking must know of a fairseq ``Dictionary``, and which of its symbols is the mask."""

from __future__ import annotations

import re
from typing import Any

from maskplug import Vocabulary
from maskplug.errors import VocabularyError

MASK = "<mask>"
#: What fairseq-preprocess fills dictionaries up with, to a multiple of 8; no text contains them.
PADDING_WORD = re.compile(r"madeupword\d{4,}")


def vocabulary(dictionary: Any, symbol: str = "auto") -> Vocabulary:
    """A vocabulary from a ``fairseq.data.Dictionary``.

    The spelling tells where words begin: ``▁`` (SentencePiece) or ``@@`` (subword-nmt). ``<s>``,
    ``<pad>``, ``</s>``, ``<unk>``, ``<mask>`` and padding words are special: never selected, never
    produced at random.

    Args:
        dictionary: a ``fairseq.data.Dictionary``.
        symbol: what stands for a mask. ``"auto"``: ``<mask>`` if it is there, else a padding word
            (``madeupword0000``), else ``<unk>``. Or ``"<mask>"``, ``"<unk>"`` or a padding word,
            which must be there. ``"add"`` adds ``<mask>`` to the dictionary, which is changed.

    Raises:
        VocabularyError: when the dictionary has no such symbol; the message says what it has.

    Example:
        >>> from fairseq.data import Dictionary
        >>> dictionary = Dictionary()
        >>> for piece in ["▁new", "er", "madeupword0000"]:
        ...     index = dictionary.add_symbol(piece)
        >>> vocab = vocabulary(dictionary)
        >>> vocab.mask_id, vocab.ordinary.tolist(), vocab.word_start.tolist()[4:]
        (6, [4, 5], [True, False, False])
    """
    if symbol == "add":
        add_mask(dictionary)
    return Vocabulary.from_pieces(
        dictionary.symbols,
        mask_id=dictionary.index(mask_symbol(dictionary, symbol)),
        pad_id=dictionary.pad(),
        bos_id=dictionary.bos(),
        eos_id=dictionary.eos(),
        special_ids=[dictionary.unk(), *map(dictionary.index, _spare(dictionary))],
    )


def add_mask(dictionary: Any) -> None:
    """Add ``<mask>`` to a dictionary, at its end, unless it is there."""
    if MASK not in dictionary:
        dictionary.add_symbol(MASK)


def mask_symbol(dictionary: Any, symbol: str = "auto") -> str:
    """The symbol that stands for a mask; see :func:`vocabulary`.

    Raises:
        VocabularyError: when the dictionary has no such symbol.
    """
    choices: list[str] = [*_spare(dictionary), dictionary.unk_word]
    if symbol == "auto":
        return choices[0]
    wanted = MASK if symbol == "add" else symbol
    if wanted not in choices:
        raise VocabularyError(
            f"the mask symbol {symbol!r} is not one of this dictionary's {len(dictionary)} "
            f"symbols that can stand for a mask: {', '.join(choices)}. Choose one of these, "
            "'auto' (the first of them), or 'add', which adds <mask> to the dictionary"
        )
    return wanted


def _spare(dictionary: Any) -> list[str]:
    """The symbols that no text contains: ``<mask>`` first, then padding words."""
    padding = [word for word in dictionary.symbols if PADDING_WORD.fullmatch(word)]
    return [MASK, *padding] if MASK in dictionary else padding
