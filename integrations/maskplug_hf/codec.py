"""A Hugging Face tokenizer as a codec: text and back, without special tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class TokenizerCodec:
    """What ``maskplug.vocabulary.Codec`` asks for, from any tokenizer of transformers."""

    tokenizer: Any

    def encode(self, text: str) -> list[int]:
        """The ids of a piece of text, without special tokens."""
        # A long document is no mistake here, and not to be warned of.
        ids: list[int] = self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids, blanks as they are."""
        text: str = self.tokenizer.decode(ids, clean_up_tokenization_spaces=False)
        return text
