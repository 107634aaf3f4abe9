"""The built-in patterns, one idea a file."""

from maskplug.attention.patterns.aligned import Aligned
from maskplug.attention.patterns.alternating import Alternating
from maskplug.attention.patterns.basic import Causal, Full, Padding
from maskplug.attention.patterns.bigbird import BigBird
from maskplug.attention.patterns.block_diffusion import BlockDiffusion
from maskplug.attention.patterns.chunked import Chunked
from maskplug.attention.patterns.dilated import Dilated
from maskplug.attention.patterns.document import Document
from maskplug.attention.patterns.global_tokens import GlobalTokens
from maskplug.attention.patterns.monotonic import Monotonic
from maskplug.attention.patterns.permutation import Permutation
from maskplug.attention.patterns.prefix import Prefix
from maskplug.attention.patterns.random import Random
from maskplug.attention.patterns.sentence import Section, Sentence
from maskplug.attention.patterns.sink import Sink
from maskplug.attention.patterns.strided import Fixed, Strided
from maskplug.attention.patterns.unilm import UniLM
from maskplug.attention.patterns.wait_k import WaitK
from maskplug.attention.patterns.window import Window

__all__ = [
    "Aligned",
    "Alternating",
    "BigBird",
    "BlockDiffusion",
    "Causal",
    "Chunked",
    "Dilated",
    "Document",
    "Fixed",
    "Full",
    "GlobalTokens",
    "Monotonic",
    "Padding",
    "Permutation",
    "Prefix",
    "Random",
    "Section",
    "Sentence",
    "Sink",
    "Strided",
    "UniLM",
    "WaitK",
    "Window",
]
