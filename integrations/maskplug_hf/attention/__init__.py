"""Attention patterns for Hugging Face models.

Each file imports from those before it: modules, settings, mask_metadata, columns, model_mask,
masks, interface, handle, mixing, api.
"""

from maskplug_hf.attention.api import use_attention
from maskplug_hf.attention.capture import Difference, Received, compare, received
from maskplug_hf.attention.handle import PatternAttention

__all__ = [
    "Difference",
    "PatternAttention",
    "Received",
    "compare",
    "received",
    "use_attention",
]
