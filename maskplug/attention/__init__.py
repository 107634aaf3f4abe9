"""Who may see whom: patterns of attention, M(t). True = may attend, everywhere."""

from maskplug.attention.algebra import And, Not, Or
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Fallback, Pattern, pattern
from maskplug.attention.patterns import Causal, Document, Full, Padding, Sink, Window
from maskplug.attention.site import Place, Site

__all__ = [
    "And",
    "Causal",
    "Document",
    "Fallback",
    "Full",
    "Intervals",
    "Not",
    "Or",
    "Padding",
    "Pattern",
    "Place",
    "Sink",
    "Site",
    "Window",
    "pattern",
]
