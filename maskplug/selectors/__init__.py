"""Which tokens? One selector a file."""

from maskplug.selectors.exact import Exact
from maskplug.selectors.independent import Independent
from maskplug.selectors.nothing import Nothing
from maskplug.selectors.spans import Spans
from maskplug.selectors.words import Words

__all__ = ["Exact", "Independent", "Nothing", "Spans", "Words"]
