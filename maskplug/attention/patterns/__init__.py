"""The built-in patterns, one idea a file."""

from maskplug.attention.patterns.alternating import Alternating
from maskplug.attention.patterns.basic import Causal, Full, Padding
from maskplug.attention.patterns.block_diffusion import BlockDiffusion
from maskplug.attention.patterns.chunked import Chunked
from maskplug.attention.patterns.dilated import Dilated
from maskplug.attention.patterns.document import Document
from maskplug.attention.patterns.global_tokens import GlobalTokens
from maskplug.attention.patterns.prefix import Prefix
from maskplug.attention.patterns.sink import Sink
from maskplug.attention.patterns.strided import Fixed, Strided
from maskplug.attention.patterns.window import Window

__all__ = [
    "Alternating",
    "BlockDiffusion",
    "Causal",
    "Chunked",
    "Dilated",
    "Document",
    "Fixed",
    "Full",
    "GlobalTokens",
    "Padding",
    "Prefix",
    "Sink",
    "Strided",
    "Window",
]
