"""Targets: what the model must predict. One target per file."""

from maskplug.targets.boundary_labels import BoundaryLabels
from maskplug.targets.causal import Causal
from maskplug.targets.chosen import Chosen
from maskplug.targets.fragment import Fragment
from maskplug.targets.labels import IGNORE, Labels
from maskplug.targets.language_labels import LanguageLabels
from maskplug.targets.original import Original
from maskplug.targets.permutation import Permutation
from maskplug.targets.sentinels import Sentinels
from maskplug.targets.weighted_labels import WeightedLabels

__all__ = [
    "IGNORE",
    "BoundaryLabels",
    "Causal",
    "Chosen",
    "Fragment",
    "Labels",
    "LanguageLabels",
    "Original",
    "Permutation",
    "Sentinels",
    "WeightedLabels",
]
