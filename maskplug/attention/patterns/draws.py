"""What patterns that draw have in common: their streams, and their samples' own tokens."""

from __future__ import annotations

from typing import Any

import numpy as np

from maskplug.attention.site import AttentionCall
from maskplug.clock import Step
from maskplug.errors import OptionError
from maskplug.parts import Clock
from maskplug.rng import Rng
from maskplug.types import IntArray


def draws(site: AttentionCall, clock: Clock, per_layer: bool = False) -> Rng:
    """The draws of every sample at the time that this clock tells.

    A decoder's own tokens draw apart from those of the encoder, which the same sample has too.

    Args:
        site: where attention is asked for.
        clock: of the pattern.
        per_layer: whether each of the model's layers draws for itself.
    """
    rng = site.rng(clock)
    if site.attention_kind == "decoder":
        rng = rng.scoped("decoder")
    return rng.scoped(f"layer {site.layer_idx}") if per_layer else rng


def clock_of(given: Clock | None, drawn: bool, otherwise: str) -> Clock | None:
    """The clock of a pattern that draws in one of its forms only: of steps, unless it was given.

    Args:
        given: the option.
        drawn: whether this form draws.
        otherwise: says why it does not.

    Raises:
        OptionError: for a clock that nothing would follow.
    """
    if drawn:
        return Step() if given is None else given
    if given is not None:
        raise OptionError(f"option 'clock' is {given!r}, and {otherwise}")
    return None


def own_lengths(site: AttentionCall) -> IntArray:
    """How many tokens each sample has to draw for: int64, one a sample."""
    return np.broadcast_to(site.lengths, site.batch)


def placed(site: AttentionCall, values: Any, absent: Any) -> Any:
    """Values of the samples' own tokens where these stand among the keys: (batch, keys).

    Args:
        site: where attention is asked for.
        values: one a token, one sample after the other, as :func:`own_lengths` counts them.
        absent: what padding gets on either side.
    """
    out = np.full((site.batch, site.kv_len), absent)
    out[np.broadcast_to(site.own, out.shape)] = values
    return out
