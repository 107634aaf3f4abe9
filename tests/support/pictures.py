"""Pictures of patterns, and the texts of their images."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import maskplug
from maskplug.attention import Pattern
from maskplug.viz.pattern import picture as draw
from maskplug.viz.picture import Picture


def picture(text: str, *lengths: int, **more: Any) -> Picture:
    return draw(maskplug.pattern(text), *lengths, **more)


def texts(picture: Picture | Pattern) -> list[str]:
    """Return the texts of the image in a notebook."""
    root = ElementTree.fromstring(picture._repr_svg_() or "")
    return ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]
