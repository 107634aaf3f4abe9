"""Who may see whom: patterns of attention, M(t). True = may attend, everywhere."""

from maskplug.attention.algebra import And, Not, Or
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Fallback, Pattern, pattern
from maskplug.attention.patterns import (
    Alternating,
    BlockDiffusion,
    Causal,
    Chunked,
    Dilated,
    Document,
    Fixed,
    Full,
    GlobalTokens,
    Padding,
    Prefix,
    Sink,
    Strided,
    Window,
)
from maskplug.attention.site import Place, Site

__all__ = [
    "Alternating",
    "And",
    "BlockDiffusion",
    "Causal",
    "Chunked",
    "Dilated",
    "Document",
    "Fallback",
    "Fixed",
    "Full",
    "GlobalTokens",
    "Intervals",
    "Not",
    "Or",
    "Padding",
    "Pattern",
    "Place",
    "Prefix",
    "Sink",
    "Site",
    "Strided",
    "Window",
    "pattern",
]
