"""The built-in patterns, one idea a file."""

from maskplug.attention.patterns.basic import Causal, Full, Padding
from maskplug.attention.patterns.document import Document
from maskplug.attention.patterns.sink import Sink
from maskplug.attention.patterns.window import Window

__all__ = ["Causal", "Document", "Full", "Padding", "Sink", "Window"]
