"""Patterns that are for cross attention only, or not for it."""

from __future__ import annotations

from maskplug.attention.site import AttentionCall
from maskplug.errors import OptionError


def only_cross(site: AttentionCall, who: str) -> None:
    """Refuse self-attention, where no query belongs to another text than the keys.

    Raises:
        OptionError: naming the pattern and where it was used.
    """
    if not site.cross:
        raise OptionError(
            f"pattern {who!r} says what each token of the target sees of the source; it is for "
            f"cross attention (place='cross'), not for self-attention (place={site.attention_kind!r})"
        )


def refuse_cross(site: AttentionCall, who: str, why: str) -> None:
    """Refuse cross attention.

    Raises:
        OptionError: naming the pattern and the reason.
    """
    if site.cross:
        raise OptionError(f"pattern {who!r} is for self-attention: in cross attention {why}")
