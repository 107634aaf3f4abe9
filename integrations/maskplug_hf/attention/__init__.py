"""Attention patterns for models of Hugging Face."""

from maskplug_hf.attention.handle import PatternAttention
from maskplug_hf.attention.use import use_attention

__all__ = ["PatternAttention", "use_attention"]
