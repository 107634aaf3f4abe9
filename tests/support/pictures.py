"""Pictures of patterns, and the texts of their files."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import maskplug
from maskplug.viz.pattern import picture as draw
from maskplug.viz.picture import Picture


def picture(text: str, *lengths: int, **more: Any) -> Picture:
    return draw(maskplug.pattern(text), *lengths, **more)


def texts(svg: str | None) -> list[str]:
    root = ElementTree.fromstring(svg or "")
    return ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]
