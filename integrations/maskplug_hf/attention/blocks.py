"""A pattern joined with the model's own rule as blocks for flex attention, without the matrix."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch._dynamo import config as dynamo

from maskplug.attention import Intervals
from maskplug.attention.flex import block_mask
from maskplug.errors import OptionError
from maskplug.types import BoolArray, readonly
from maskplug_hf.attention.facts import MaskFacts, Outline, kept
from maskplug_hf.attention.forward import Forward
from maskplug_hf.attention.places import Spot
from maskplug_hf.attention.render import Seen, first_keys, note_decoder, seen_by

#: Up to so many queries, a matrix is made once to see whether a pattern only adds.
SHORT = 1024
#: Up to so many cells, flex attention is not compiled on the CPU.
SMALL = 1 << 20


def blocks(
    spot: Spot, outline: Outline, forward: Forward, heads: int, keys: int, device: Any
) -> Any:
    """The blocks of an attention module: what the model shows, and the pattern too.

    Args:
        spot: the module's.
        outline: of its mask.
        forward: the pass that it belongs to.
        heads: the number of the module's heads.
        keys: how many the module is given.
        device: where they are.

    Returns:
        A ``BlockMask`` of shape (batch or 1, heads or 1, queries, keys).
    """
    facts = outline.facts
    note_decoder(spot, facts, forward)
    where = (spot.place, heads, device, keys)
    if (made := kept(facts.masks, where, spot.depth)) is not None:
        return made
    visible, shared = _visible(spot, outline, forward, heads)
    made = block_mask(_cut(visible, facts.dropped, keys), device=device)
    facts.masks[where, None if shared else spot.depth] = made
    return made


def check(module: Any, query: Any, options: Mapping[str, Any]) -> None:
    """Refuse what flex attention cannot compute, before it says so in its own words.

    Raises:
        OptionError: for gradients on the CPU, dropout, and a bias for every cell.
    """
    who = type(module).__name__
    if options.get("dropout"):
        raise OptionError(
            f"{who} drops attention weights out ({options['dropout']}), which flex attention "
            "cannot: set its dropout of attention to 0 in the config, or say backend='sdpa'"
        )
    if options.get("position_bias") is not None:
        raise OptionError(
            f"{who} adds a bias to the score of every query and key, as large as the mask that "
            "backend='flex' is to save: say backend='sdpa'"
        )
    if query.device.type == "cpu" and query.requires_grad and torch.is_grad_enabled():
        raise OptionError(
            f"{who} is to compute gradients on the CPU, where flex attention has none: say "
            "backend='sdpa' for training, or torch.no_grad() for inference"
        )


def compiled_as_fits(query: Any, key: Any) -> AbstractContextManager[Any]:
    """Where transformers' flex attention, which it always compiles, is to be called on the CPU.

    A small mask takes longer to compile than to compute, and decoding has another length at every
    token. A large one is compiled for its own length: the code that torch 2.13 writes for changing
    lengths is no valid C++.
    """
    if query.device.type != "cpu" or torch.compiler.is_compiling():
        return nullcontext()
    if query.shape[-2] * key.shape[-2] <= SMALL:
        uncompiled: AbstractContextManager[Any] = torch.compiler.set_stance("force_eager")
        return uncompiled
    fixed: AbstractContextManager[Any] = dynamo.patch(automatic_dynamic_shapes=False)
    return fixed


def _visible(spot: Spot, outline: Outline, forward: Forward, heads: int) -> tuple[Intervals, bool]:
    """All that may be seen, by keys from the first that was ever cached; and by all layers alike?

    Padding sees what is left to it, perhaps nothing.
    """
    facts, attention = outline.facts, forward.attention
    real = facts.real(spot.place)
    tokens = Intervals.of_mask(real[:, None, None])
    pattern = forward.patterns.get(spot.place)
    if pattern is None:
        return outline.own & tokens, True
    seen = seen_by(spot, facts, forward, pattern, None, heads)
    if attention.keep_own:
        if facts.queries <= SHORT and spot.place not in attention.notices.compared:
            own, keys = (torch.from_numpy(rows.dense()) for rows in (outline.own, seen.keys))
            attention.notices.additions(spot.place, own, keys, torch.from_numpy(real))
        tokens = outline.own & tokens
    visible = seen.keys & tokens
    lost = (visible.counts == 0) & seen.site.valid_queries[:, None]
    if lost.any():
        attention.notices.empty(spot.place, lost)
        visible |= _one_key(spot, facts, forward, seen, lost)
    return visible, seen.shared


def _one_key(
    spot: Spot, facts: MaskFacts, forward: Forward, seen: Seen, lost: BoolArray
) -> Intervals:
    """A key for queries that would see none."""
    if spot.place == "cross" or forward.attention.fallback == "first":
        at = first_keys(spot, facts, seen)
    else:
        at = np.arange(facts.queries) + facts.offset
    at = np.broadcast_to(at, np.broadcast_shapes(at.shape, lost.shape))
    return Intervals.of(facts.keys, at[..., None], np.where(lost, at + 1, at)[..., None])


def _cut(rows: Intervals, first: int, keys: int) -> Intervals:
    """The same for some of the keys, which are counted anew."""
    if (first, keys) == (0, rows.n_keys):
        return rows
    cut = Intervals.of(keys, rows.lo.astype(np.int64) - first, rows.hi.astype(np.int64) - first)
    if rows.keys is not None:
        cut = cut.only(rows.keys[..., first : first + keys])
    return (
        cut
        if rows.phase is None
        else replace(cut, step=rows.step, phase=readonly(rows.phase - first, np.int32))
    )
