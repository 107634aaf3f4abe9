"""Attention mask patterns M(t). True = may attend, everywhere."""

from maskplug.attention.blocks import Blocks
from maskplug.attention.call import AttentionCall, AttentionKind
from maskplug.attention.fallback import Fallback
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import And, Not, Or, Pattern, pattern
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
from maskplug.preprocessing.annotations import links

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
    "Full",
    "GlobalTokens",
    "Intervals",
    "Monotonic",
    "Not",
    "Or",
    "Padding",
    "Pattern",
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
    "links",
    "pattern",
]
