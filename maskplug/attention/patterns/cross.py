"""Checks of patterns that are for cross attention only, or for self-attention only."""

from __future__ import annotations

from maskplug.attention.call import AttentionCall
from maskplug.errors import OptionError


def only_cross(call: AttentionCall, who: str) -> None:
    """Refuse self-attention.

    Raises:
        OptionError: with the pattern and the kind of attention.
    """
    if not call.cross:
        raise OptionError(
            f"pattern {who!r} is for cross attention (attention_kind='cross'), from target to "
            f"source tokens, not for self-attention (attention_kind={call.attention_kind!r})"
        )


def refuse_cross(call: AttentionCall, who: str, why: str) -> None:
    """Refuse cross attention.

    Raises:
        OptionError: with the pattern and the reason.
    """
    if call.cross:
        raise OptionError(f"pattern {who!r} is for self-attention only: in cross attention {why}")
