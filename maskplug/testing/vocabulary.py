"""A vocabulary with everything that a strategy can require."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase

import numpy as np

from maskplug.vocabulary import Vocabulary

SIZE = 200
#: Ids that end a sentence.
ENDS = {7: ".", 9: "!"}
NAMED = (
    *("[R]", "[S]", "[X]", "<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<mask_1>"),
    *("en_XX", "<mask_2>", "[NLU]", "[NLG]", "[S2S]", "<fim_pad>", "<|endoftext|>"),
    *("[gMASK]", "<sop>"),
)


def _pieces() -> list[str]:
    """Return the text of every id: even ids begin a word (with a space), odd ids continue one."""
    pieces = [""] * SIZE
    taken = {**ENDS, 58: " ", 77: "z"}
    letters = iter(ascii_lowercase[:25])
    for i in range(5, 58):
        if i % 2:
            pieces[i] = taken[i] if i in taken else next(letters)
        else:
            pieces[i] = " " + ascii_lowercase[(i - 6) // 2]
    for i in range(76, 100):
        first, second = ascii_lowercase[i - 76], ascii_lowercase[(i - 70) % 26]
        pieces[i] = (" " if i % 2 == 0 else "") + first + second
    for i, text in taken.items():
        pieces[i] = text
    return pieces


PIECES = _pieces()


class Letters:
    """A codec for texts that can be cut anywhere: every letter is a token; longest match first.

    Example:
        >>> codec = Letters()
        >>> text = codec.decode([6, 5, 76])
        >>> text, codec.encode(text), codec.encode(text[1:])
        (' aa ag', [6, 5, 76], [5, 5, 76])
    """

    def __init__(self) -> None:
        self._ids = {piece: i for i, piece in enumerate(PIECES) if piece}

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids; that of special tokens is empty."""
        return "".join(PIECES[i] for i in ids)

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text, longest match first.

        Raises:
            ValueError: when no piece matches a character.
        """
        ids: list[int] = []
        while text:
            for length in (3, 2, 1):
                if text[:length] in self._ids:
                    ids.append(self._ids[text[:length]])
                    text = text[length:]
                    break
            else:
                raise ValueError(f"no piece matches {text[0]!r}")
        return ids


def rich_vocabulary() -> Vocabulary:
    """Return a vocabulary of 200 ids with mask, padding, sentinels, words, sentences and a codec.

    Ids 0 to 4 are padding, unknown, bos, eos and mask; 5 to 58 and 76 to 99 are ordinary, and even
    ones begin a word; 7 and 9 end a sentence; 59 is another special token; 60 to 75 are named
    ("[R]", "<fim_prefix>", "en_XX", …); 199 down to 100 are sentinels.

    Example:
        >>> vocab = rich_vocabulary()
        >>> len(vocab.ordinary), vocab.named["[R]"], vocab.sentinel_ids[:2].tolist()
        (78, 60, [199, 198])
    """
    ids = np.arange(SIZE)
    return Vocabulary(
        size=SIZE,
        mask_id=4,
        pad_id=0,
        bos_id=2,
        eos_id=3,
        special_ids=[1, 59],
        sentinel_ids=range(199, 99, -1),
        word_start=ids % 2 == 0,
        sentence_end=np.isin(ids, list(ENDS)),
        named={text: 60 + i for i, text in enumerate(NAMED)},
        codec=Letters(),
    )
