"""What is written where tokens were chosen? One replacement a file."""

from maskplug.replacements.delete import Delete
from maskplug.replacements.fim import Fim
from maskplug.replacements.mix import Mix
from maskplug.replacements.sentinels import Sentinels

__all__ = [
    "Delete",
    "Fim",
    "Mix",
    "Sentinels",
]
