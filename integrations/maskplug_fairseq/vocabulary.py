"""Build a Vocabulary from a fairseq ``Dictionary``, and choose its mask symbol."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from maskplug import Vocabulary
from maskplug.errors import VocabularyError
from maskplug.vocabulary.spelling import MARK, sentinels

MASK = "<mask>"
#: Words that fairseq-preprocess appends to reach a multiple of 8; no text contains them.
PADDING_WORD = re.compile(r"madeupword\d{4,}")


def vocabulary(
    dictionary: Any, symbol: str = "auto", special_ids: Sequence[int] = ()
) -> Vocabulary:
    """Build a vocabulary from a ``fairseq.data.Dictionary``.

    Word boundaries follow from the spelling of symbols: ``▁`` (SentencePiece) or ``@@``
    (subword-nmt); see ``Vocabulary.from_pieces``. Special ids, which are never selected and never
    produced at random, are ``<s>``, ``<pad>``, ``</s>``, ``<unk>``, ``<mask>``, padding words and
    all symbols of the form ``<name>`` or ``[name]``, also after ``▁``; bytes (``<0x0A>``) are text.
    Strategies can write special symbols by name (``[de]``). Sentinels are ``<extra_id_0>``,
    ``<extra_id_1>``, … or else ``<sentinel:0>``, ….

    Args:
        dictionary: a ``fairseq.data.Dictionary``.
        symbol: the mask symbol: ``"<mask>"``, ``"<unk>"`` or a padding word of the dictionary
            (``"madeupword0000"``). ``"auto"``: the first of ``<mask>``, a padding word, ``<unk>``.
            ``"add"``: ``<mask>``, which is added to the dictionary if it is missing.
        special_ids: further special ids.

    Raises:
        VocabularyError: if the dictionary has no such mask symbol; the message lists the choices.

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
    unused = map(dictionary.index, _unused_symbols(dictionary))
    return Vocabulary.from_pieces(
        dictionary.symbols,
        mask_id=dictionary.index(mask_symbol(dictionary, symbol)),
        pad_id=dictionary.pad(),
        bos_id=dictionary.bos(),
        eos_id=dictionary.eos(),
        special_ids=[dictionary.unk(), *unused, *marks, *special_ids],
        sentinel_ids=sentinels(enumerate(dictionary.symbols)),
    )


def add_symbols(dictionary: Any, symbols: Iterable[str]) -> None:
    """Append the symbols that a dictionary does not have."""
    for symbol in symbols:
        if symbol not in dictionary:
            dictionary.add_symbol(symbol)


def truncate(dictionary: Any, size: int) -> None:
    """Remove all but the first ``size`` symbols of a dictionary."""
    for symbol in dictionary.symbols[size:]:
        del dictionary.indices[symbol]
    del dictionary.symbols[size:], dictionary.count[size:]


def mask_symbol(dictionary: Any, symbol: str = "auto") -> str:
    """Return the mask symbol; see :func:`vocabulary`."""
    choices: list[str] = [*_unused_symbols(dictionary), dictionary.unk_word]
    if symbol == "auto":
        return choices[0]
    symbol = MASK if symbol == "add" else symbol
    if symbol not in choices:
        raise VocabularyError(
            f"the mask symbol {symbol!r} is not one of this dictionary's {len(dictionary)} "
            f"symbols that can be the mask symbol: {', '.join(choices)}. Choose one of these, "
            "'auto' (the first of them), or 'add', which adds <mask> to the dictionary"
        )
    return symbol


def _unused_symbols(dictionary: Any) -> list[str]:
    """Return the symbols that no text contains: ``<mask>``, then padding words."""
    padding = [word for word in dictionary.symbols if PADDING_WORD.fullmatch(word)]
    return [MASK, *padding] if MASK in dictionary else padding
