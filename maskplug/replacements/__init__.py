"""What is written where tokens were chosen? One replacement a file."""

from maskplug.replacements.delete import Delete
from maskplug.replacements.mix import Mix

__all__ = ["Delete", "Mix"]
