"""The masking vocabulary of a Hugging Face tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import maskplug
from maskplug.errors import VocabularyError
from maskplug.vocabulary.spelling import is_sentinel, sentinels
from maskplug_hf.spelling import spelling


def vocabulary(tokenizer: Any, mask_id: int | None = None) -> maskplug.Vocabulary:
    """Return the masking vocabulary of a Hugging Face tokenizer, fast or slow.

    Special ids are the tokenizer's special tokens, the unknown token, tokens added by a user as
    special, T5's sentinels, and ids without a token. Strategies find them by their text
    (``named``). Word starts follow from the tokenizer's decoder and pre-tokenizer, or else from
    the markers of its tokens (``##``, ``Ġ``, ``▁``), see ``Vocabulary.from_pieces``; tokens added
    by a user are words. Sentences end at ``.``, ``?``, ``。`` and similar tokens.

    Args:
        tokenizer: a ``PreTrainedTokenizer`` or ``PreTrainedTokenizerFast``.
        mask_id: the mask id of a tokenizer without one, or instead of its own.

    Returns:
        A vocabulary that covers every id of the tokenizer. Its sentinels are the tokens
        ``<extra_id_0>``, ``<extra_id_1>``, … in this order, looked up by name (mT5 spells them
        ``▁<extra_id_0>``); its ``mask_id`` is None for a tokenizer without a mask token.

    Raises:
        VocabularyError: for other types, or when ``mask_id`` is outside of the vocabulary.
    """
    if not callable(getattr(tokenizer, "get_vocab", None)):
        raise VocabularyError(
            f"{tokenizer!r} is not a tokenizer of transformers: it has no get_vocab()"
        )
    ids: dict[str, int] = tokenizer.get_vocab()
    size = max(len(tokenizer), max(ids.values(), default=0) + 1)
    pieces = [""] * size
    for piece, i in ids.items():
        pieces[i] = piece
    # Ids without a token must not be drawn as random tokens.
    unused = set(range(size)) - set(ids.values())
    special = _special(tokenizer) | unused | {i for i, p in enumerate(pieces) if is_sentinel(p)}
    return maskplug.Vocabulary.from_pieces(
        pieces,
        spelling(tokenizer, [p for i, p in enumerate(pieces) if i not in special]),
        whole_ids=sorted(tokenizer.added_tokens_decoder),
        mask_id=tokenizer.mask_token_id if mask_id is None else mask_id,
        pad_id=tokenizer.pad_token_id,
        bos_id=_first(tokenizer.bos_token_id, tokenizer.cls_token_id),
        eos_id=_first(tokenizer.eos_token_id, tokenizer.sep_token_id),
        special_ids=sorted(special),
        sentinel_ids=sentinels((i, piece) for piece, i in ids.items()),
        codec=TokenizerCodec(tokenizer),
    )


def _first(*ids: int | None) -> int | None:
    return next((i for i in ids if i is not None), None)


def _special(tokenizer: Any) -> set[int]:
    named = {*tokenizer.all_special_ids, tokenizer.unk_token_id}
    added = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    return {i for i in named | added if i is not None}


@dataclass(frozen=True, eq=False)
class TokenizerCodec:
    """A tokenizer as ``maskplug.vocabulary.Codec``, without special tokens."""

    tokenizer: Any

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text."""
        # verbose=False: do not warn of long texts.
        ids: list[int] = self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids, with blanks unchanged."""
        text: str = self.tokenizer.decode(ids, clean_up_tokenization_spaces=False)
        return text
