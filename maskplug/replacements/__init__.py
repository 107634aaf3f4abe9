"""What is written where tokens were chosen? One replacement a file."""

from maskplug.replacements.mix import Mix

__all__ = ["Mix"]
