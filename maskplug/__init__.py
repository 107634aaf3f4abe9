"""Sample-stable masking for Transformers.

A mask is a pure function of strategy@version, options, seed, t and the key of the sample.
"""

from maskplug.attention import AttentionCall, Pattern, pattern
from maskplug.context import MaskingEvent
from maskplug.errors import MaskplugError, MaskplugWarning, OptionError
from maskplug.hookspecs import Register, hookimpl
from maskplug.loss_tracking import Losses
from maskplug.objectives import tlm
from maskplug.parts import Clock, Replacement, Schedule, SelectionBound, Selector, Target
from maskplug.preprocessing.annotations import byte_offsets, salient_layer, segment_words
from maskplug.ragged import Ragged
from maskplug.rng import Rng, derive, key_of
from maskplug.strategies.composed import compose
from maskplug.strategy import Strategy, part, strategy
from maskplug.tokens import Masked, Selection, TokenBatch
from maskplug.units import budget, units
from maskplug.vocabulary import Vocabulary

__version__ = "0.1.0"

__all__ = [
    "AttentionCall",
    "Clock",
    "Losses",
    "Masked",
    "MaskingEvent",
    "MaskplugError",
    "MaskplugWarning",
    "OptionError",
    "Pattern",
    "Ragged",
    "Register",
    "Replacement",
    "Rng",
    "Schedule",
    "Selection",
    "SelectionBound",
    "Selector",
    "Strategy",
    "Target",
    "TokenBatch",
    "Vocabulary",
    "budget",
    "byte_offsets",
    "compose",
    "derive",
    "hookimpl",
    "key_of",
    "part",
    "pattern",
    "salient_layer",
    "segment_words",
    "strategy",
    "tlm",
    "units",
]
