"""Random numbers for patterns."""

from __future__ import annotations

from typing import Any

import numpy as np

from maskplug.attention.call import AttentionCall
from maskplug.clock import Step
from maskplug.errors import OptionError
from maskplug.parts import Clock
from maskplug.rng import Rng
from maskplug.types import IntArray


def draws(call: AttentionCall, clock: Clock, per_layer: bool = False) -> Rng:
    """Return the random numbers of every sample at the time given by the clock.

    Those of a decoder are independent of those of the encoder for the same sample.

    Args:
        call: the call of attention.
        clock: the pattern's clock.
        per_layer: whether each network layer has its own.
    """
    rng = call.rng(clock)
    if call.attention_kind == "decoder":
        rng = rng.scoped("decoder")
    return rng.scoped(f"layer {call.layer_idx}") if per_layer else rng


def clock_of(clock: Clock | None, is_random: bool, reason: str) -> Clock | None:
    """Return the clock of a pattern that is random only in one of its modes; "step" by default.

    Args:
        clock: the option.
        is_random: whether this mode is random.
        reason: why it is not, for the message.

    Raises:
        OptionError: for a clock without any effect.
    """
    if is_random:
        return Step() if clock is None else clock
    if clock is not None:
        raise OptionError(f"option 'clock' is {clock!r}, but {reason}")
    return None


def sample_lengths(call: AttentionCall) -> IntArray:
    """Return the number of tokens of each sample: int64, one per sample."""
    return np.broadcast_to(call.lengths, call.batch)


def placed(call: AttentionCall, values: Any, absent: Any) -> Any:
    """Return values of the samples' own tokens at their positions in the row: (batch, kv_len).

    Args:
        call: the call of attention.
        values: one per token, sample by sample, see :func:`sample_lengths`.
        absent: the value of padding.
    """
    out = np.full((call.batch, call.kv_len), absent)
    out[np.broadcast_to(call.in_sample, out.shape)] = values
    return out
