"""The text side of a tokenizer, for strategies that cut inside tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TokenizerCodec:
    """Ids to text and back, with nothing added, cleaned up or left out.

    Args:
        tokenizer: any tokenizer of transformers.
    """

    tokenizer: Any

    def encode(self, text: str) -> list[int]:
        """The ids of a piece of text, without special tokens around it."""
        # ``verbose``: a piece of a document is no input, so that its length needs no warning.
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False, verbose=False)
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids, special tokens and spaces as they are."""
        text: str = self.tokenizer.decode(
            list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return text
