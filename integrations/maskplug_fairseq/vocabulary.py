"""What masking must know of a fairseq ``Dictionary``, and which of its symbols is the mask."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from maskplug import Vocabulary
from maskplug.errors import VocabularyError
from maskplug.vocabulary.spelling import MARK, sentinels

MASK = "<mask>"
#: What fairseq-preprocess fills dictionaries up with, to a multiple of 8; no text contains them.
PADDING_WORD = re.compile(r"madeupword\d{4,}")


def vocabulary(
    dictionary: Any, symbol: str = "auto", special_ids: Sequence[int] = ()
) -> Vocabulary:
    """A vocabulary from a ``fairseq.data.Dictionary``.

    The spelling tells where words begin: ``▁`` (SentencePiece) or ``@@`` (subword-nmt); see
    ``Vocabulary.from_pieces``. ``<s>``, ``<pad>``, ``</s>``, ``<unk>``, ``<mask>``, padding words
    and whatever is written as ``<name>`` or ``[name]``, with ``▁`` before it or without, are
    special: never selected, never produced at random; bytes (``<0x0A>``) are text. Strategies can
    write special symbols by name (``[de]``). ``<extra_id_0>``, ``<extra_id_1>``, … are the
    sentinels, or else ``<sentinel:0>``, ….

    Args:
        dictionary: a ``fairseq.data.Dictionary``.
        symbol: what stands for a mask. ``"auto"``: ``<mask>`` if it is there, else a padding word
            (``madeupword0000``), else ``<unk>``. Or ``"<mask>"``, ``"<unk>"`` or a padding word,
            which must be there. ``"add"`` adds ``<mask>`` to the dictionary, which is changed.
        special_ids: further ids that are special.

    Raises:
        VocabularyError: when the dictionary has no such symbol; the message says what it has.

    Example:
        >>> from fairseq.data import Dictionary
        >>> dictionary = Dictionary()
        >>> for piece in ["▁new", "er", "madeupword0000", "[de]"]:
        ...     index = dictionary.add_symbol(piece)
        >>> vocab = vocabulary(dictionary)
        >>> vocab.mask_id, vocab.ordinary.tolist(), vocab.word_start.tolist()[4:6]
        (6, [4, 5], [True, False])
        >>> vocab.named["[de]"]
        7
    """
    if symbol == "add":
        add_symbols(dictionary, [MASK])
    marks = [i for i, text in enumerate(dictionary.symbols) if MARK.fullmatch(text)]
    spare = map(dictionary.index, _spare(dictionary))
    return Vocabulary.from_pieces(
        dictionary.symbols,
        mask_id=dictionary.index(mask_symbol(dictionary, symbol)),
        pad_id=dictionary.pad(),
        bos_id=dictionary.bos(),
        eos_id=dictionary.eos(),
        special_ids=[dictionary.unk(), *spare, *marks, *special_ids],
        sentinel_ids=sentinels(enumerate(dictionary.symbols)),
    )


def sentinel_names(count: int) -> list[str]:
    """The names of the first sentinels, as T5 calls them.

    Example:
        >>> sentinel_names(2)
        ['<extra_id_0>', '<extra_id_1>']
    """
    return [f"<extra_id_{number}>" for number in range(count)]


def add_symbols(dictionary: Any, symbols: Iterable[str]) -> None:
    """Add symbols to a dictionary, at its end, unless they are there."""
    for symbol in symbols:
        if symbol not in dictionary:
            dictionary.add_symbol(symbol)


def truncate(dictionary: Any, size: int) -> None:
    """Take away all symbols of a dictionary but the first ``size``."""
    for symbol in dictionary.symbols[size:]:
        del dictionary.indices[symbol]
    del dictionary.symbols[size:], dictionary.count[size:]


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
