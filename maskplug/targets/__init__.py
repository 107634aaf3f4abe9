"""What must the model predict? One target a file."""

from maskplug.targets.causal import Causal
from maskplug.targets.chosen import Chosen
from maskplug.targets.fragment import Fragment
from maskplug.targets.labels import IGNORE, Labels
from maskplug.targets.original import Original
from maskplug.targets.permutation import Permutation
from maskplug.targets.sentinels import Sentinels
from maskplug.targets.weighted_labels import WeightedLabels

__all__ = [
    "IGNORE",
    "Causal",
    "Chosen",
    "Fragment",
    "Labels",
    "Original",
    "Permutation",
    "Sentinels",
    "WeightedLabels",
]
