"""What must the model predict? One target a file."""

from maskplug.targets.labels import IGNORE, Labels

__all__ = ["IGNORE", "Labels"]
