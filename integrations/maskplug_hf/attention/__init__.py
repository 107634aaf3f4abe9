"""Attention patterns for Hugging Face models.

Imports go one way: modules, settings → forward → mask_metadata → annotations → masks → flex →
interface → handle → mixing → api.
"""

from maskplug_hf.attention.api import use_attention
from maskplug_hf.attention.capture import Received, received
from maskplug_hf.attention.difference import Difference, compare
from maskplug_hf.attention.handle import PatternAttention

__all__ = [
    "Difference",
    "PatternAttention",
    "Received",
    "compare",
    "received",
    "use_attention",
]
