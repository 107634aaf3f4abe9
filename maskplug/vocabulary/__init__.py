"""Vocabulary: what masking needs of a tokenizer, as arrays."""

from maskplug.vocabulary.vocabulary import Codec, Vocabulary

__all__ = ["Codec", "Vocabulary"]
