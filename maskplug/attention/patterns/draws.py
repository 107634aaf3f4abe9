"""Random numbers for patterns."""

from __future__ import annotations

from typing import Any

import numpy as np

from maskplug.attention.call import AttentionCall
from maskplug.parts import Clock
from maskplug.rng import Rng
from maskplug.types import IntArray


def draws(call: AttentionCall, clock: Clock, per_layer: bool = False) -> Rng:
    """Return the random numbers of every sample at the time given by the clock.

    The decoder's are independent of the encoder's; with ``per_layer``, so are those of each layer.
    """
    rng = call.rng(clock)
    if call.attention_kind == "decoder":
        rng = rng.scoped("decoder")
    return rng.scoped(f"layer {call.layer_idx}") if per_layer else rng


def sample_lengths(call: AttentionCall) -> IntArray:
    """Return the number of tokens of each sample: int64, one per sample."""
    return np.broadcast_to(call.lengths, call.batch)


def placed(call: AttentionCall, values: Any, absent: Any) -> Any:
    """Return one value per token of the samples at its position in the row: (batch, kv_len)."""
    out = np.full((call.batch, call.kv_len), absent)
    out[np.broadcast_to(call.in_sample, out.shape)] = values
    return out
