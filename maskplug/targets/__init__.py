"""What must the model predict? One target a file."""

from maskplug.targets.chosen import Chosen
from maskplug.targets.labels import IGNORE, Labels
from maskplug.targets.original import Original

__all__ = ["IGNORE", "Chosen", "Labels", "Original"]
