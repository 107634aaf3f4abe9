"""Sample-stable masking for Transformers.

A mask is a pure function of strategy@version, options, seed, t and the sample's key.
"""

from maskplug import tlm
from maskplug.attention import Pattern, Site, pattern
from maskplug.composed import compose
from maskplug.errors import MaskplugError, MaskplugWarning, OptionError
from maskplug.feedback import Losses
from maskplug.hookspecs import Register, hookimpl
from maskplug.parts import Clock, Most, Replacement, Schedule, Selector, Target
from maskplug.ragged import Ragged
from maskplug.rng import Rng, derive, key_of
from maskplug.salience import byte_offsets, salient_layer
from maskplug.segmentation import segment_words
from maskplug.strategy import Context, Strategy, part, strategy
from maskplug.tokens import Masked, Selection, TokenBatch
from maskplug.units import budget, units
from maskplug.vocabulary import Vocabulary

__version__ = "0.1.0"

__all__ = [
    "Clock",
    "Context",
    "Losses",
    "Masked",
    "MaskplugError",
    "MaskplugWarning",
    "Most",
    "OptionError",
    "Pattern",
    "Ragged",
    "Register",
    "Replacement",
    "Rng",
    "Schedule",
    "Selection",
    "Selector",
    "Site",
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
