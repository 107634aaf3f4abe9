"""Attention patterns for models of Hugging Face."""

from maskplug_hf.attention.compared import Difference, compare
from maskplug_hf.attention.handle import PatternAttention
from maskplug_hf.attention.received import Received, received
from maskplug_hf.attention.use import use_attention

__all__ = [
    "Difference",
    "PatternAttention",
    "Received",
    "compare",
    "received",
    "use_attention",
]
