"""Replacements: what is written at the selected tokens. One replacement per file."""

from maskplug.replacements.delete import Delete
from maskplug.replacements.fim import Fim
from maskplug.replacements.gap_mask import GapMask
from maskplug.replacements.mix import Mix
from maskplug.replacements.one_mask import OneMask
from maskplug.replacements.permute import Permute
from maskplug.replacements.rotate import Rotate
from maskplug.replacements.sentinels import Sentinels
from maskplug.replacements.shuffle import Shuffle
from maskplug.replacements.switch import Switch
from maskplug.replacements.translate import Translate

__all__ = [
    "Delete",
    "Fim",
    "GapMask",
    "Mix",
    "OneMask",
    "Permute",
    "Rotate",
    "Sentinels",
    "Shuffle",
    "Switch",
    "Translate",
]
