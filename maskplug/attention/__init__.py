"""Who may see whom: patterns of attention, M(t). True = may attend, everywhere."""

import maskplug.attention.expression  # noqa: F401  (adds the parser of patterns)
from maskplug.attention.algebra import And, Not, Or
from maskplug.attention.blocks import Blocks
from maskplug.attention.flashmask import FlashMask
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern, pattern
from maskplug.attention.patterns import (
    Aligned,
    Alternating,
    BigBird,
    BlockDiffusion,
    Causal,
    Chunked,
    Dilated,
    Document,
    Fixed,
    Full,
    GlobalTokens,
    Monotonic,
    Padding,
    Permutation,
    Prefix,
    Random,
    Section,
    Sentence,
    Sink,
    Strided,
    UniLM,
    WaitK,
    Window,
)
from maskplug.attention.pictures.picture import Picture
from maskplug.attention.rendered import Fallback
from maskplug.attention.site import AttentionCall, AttentionKind
from maskplug.preprocessing.alignments import links

__all__ = [
    "Aligned",
    "Alternating",
    "And",
    "AttentionCall",
    "AttentionKind",
    "BigBird",
    "BlockDiffusion",
    "Blocks",
    "Causal",
    "Chunked",
    "Dilated",
    "Document",
    "Fallback",
    "Fixed",
    "FlashMask",
    "Full",
    "GlobalTokens",
    "Intervals",
    "Monotonic",
    "Not",
    "Or",
    "Padding",
    "Pattern",
    "Permutation",
    "Picture",
    "Prefix",
    "Random",
    "Section",
    "Sentence",
    "Sink",
    "Strided",
    "UniLM",
    "WaitK",
    "Window",
    "links",
    "pattern",
]
