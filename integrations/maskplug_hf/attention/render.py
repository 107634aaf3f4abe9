"""A pattern rendered for one attention module, and joined with the model's own mask."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

from maskplug.attention import AttentionCall, Pattern
from maskplug.attention.fallback import fallback_keys
from maskplug.types import BoolArray, IntArray
from maskplug_hf.attention.columns import layers
from maskplug_hf.attention.facts import MaskFacts, kept
from maskplug_hf.attention.forward import Forward
from maskplug_hf.attention.places import Spot


class Seen(NamedTuple):
    """What a pattern shows in one place.

    Attributes:
        keys: bool of shape (batch or 1, heads or 1, queries, keys), True = may attend; or the same
            as Intervals, where no matrix is to be made.
        site: where the pattern was asked.
        by_document: whether no query sees another document.
        shared: whether all layers see the same.
    """

    keys: Any
    site: AttentionCall
    by_document: bool
    shared: bool


def masked(spot: Spot, facts: MaskFacts, forward: Forward, mask: Any, heads: int) -> Any:
    """The mask of an attention module: what the model shows, and the pattern too.

    Args:
        spot: the module's.
        facts: of the mask.
        forward: the pass that it belongs to.
        mask: the model's own: bool, True = may attend, or floats to be added to the scores.
        heads: the number of the module's heads.

    Returns:
        A mask of the same kind, of shape (batch, heads or 1, queries, keys).
    """
    note_decoder(spot, facts, forward)
    pattern = forward.patterns.get(spot.place)
    if pattern is None:
        return mask
    where = (spot.place, heads, mask.device)
    if (made := kept(facts.masks, where, spot.depth)) is not None:
        return made
    seen = seen_by(spot, facts, forward, pattern, mask.device, heads)
    made = _joined(spot, facts, forward, mask, seen)
    if facts.forward is forward:  # a mask made before this pass may serve another one too
        facts.masks[where, None if seen.shared else spot.depth] = made
    return made


def note_decoder(spot: Spot, facts: MaskFacts, forward: Forward) -> None:
    """Keep where the decoder's queries stand, for the cross attention that comes after."""
    if spot.place == "decoder":
        last = facts.offset + facts.queries
        forward.decoder = (facts.offset, facts.real(spot.place)[:, :last])


def seen_by(
    spot: Spot, facts: MaskFacts, forward: Forward, pattern: Pattern, device: Any, heads: int
) -> Seen:
    """What the pattern shows, rendered once for all masks and layers that are alike.

    Args:
        spot: the module's.
        facts: of the mask.
        forward: the pass that it belongs to.
        pattern: that shows it.
        device: of a matrix; None for intervals.
        heads: the number of the module's heads.
    """
    offset = forward.offset(spot.place, facts)
    numbers = (facts.batch, facts.queries, facts.keys, offset, facts.dropped, heads)
    alike = (spot.place, numbers, facts.real(spot.place).tobytes(), device)
    found: Seen | None = kept(forward.seen, alike, spot.depth)
    if found is not None:
        return found
    site = AttentionCall(
        facts.queries,
        facts.keys,
        forward.context(facts.batch),
        heads,
        offset,
        spot.place,
        spot.depth if pattern.uses_layer_idx else 0,
        layers(forward, facts, spot.place, pattern),
    )
    keys: Any = pattern.rows(site)
    if device is not None:
        dense = np.ascontiguousarray(keys.dense()[..., facts.dropped :])
        keys = torch.from_numpy(dense).to(device)
    seen = Seen(keys, site, pattern.separates, not pattern.uses_layer_idx)
    forward.seen[alike, None if seen.shared else spot.depth] = seen
    return seen


def _joined(spot: Spot, facts: MaskFacts, forward: Forward, mask: Any, seen: Seen) -> Any:
    """The model's own mask and the pattern, with a key for queries that would see none."""
    least = None if mask.dtype == torch.bool else torch.finfo(mask.dtype).min
    own = mask if least is None else mask > least / 2
    width = own.shape[-1]  # some models cut their mask to the keys
    keys = seen.keys[..., :width]
    real = torch.from_numpy(_kept(spot, facts)[:, :width]).to(mask.device)
    if forward.attention.keep_own:
        forward.attention.notices.additions(spot.place, own, keys, real)
        visible = own & keys
    else:
        visible = keys & real[:, None, None]
    visible = _with_fallback(spot, facts, forward, visible, seen)
    if least is None:
        return visible
    zero = torch.zeros((), dtype=mask.dtype, device=mask.device)
    # A bias that the model wrote into its mask stays where the model showed the key.
    return torch.where(visible, torch.where(own, mask, zero), least)


def _with_fallback(spot: Spot, facts: MaskFacts, forward: Forward, visible: Any, seen: Seen) -> Any:
    empty = ~visible.any(-1)
    if not empty.any():
        return visible
    lost = empty.cpu().numpy() & seen.site.valid_queries[:, None]
    if lost.any():
        forward.attention.notices.empty(spot.place, lost)
    keys = torch.arange(visible.shape[-1], device=visible.device)
    if spot.place == "cross" or forward.attention.fallback == "first":
        first = torch.from_numpy(first_keys(spot, facts, seen) - facts.dropped)
        cells = keys == first.to(visible.device)[..., None]
    else:
        own = torch.arange(facts.queries, device=visible.device) + facts.offset - facts.dropped
        cells = keys == own[:, None]
    return visible | (empty[..., None] & cells)


def first_keys(spot: Spot, facts: MaskFacts, seen: Seen) -> IntArray:
    """The first key that is left of each query's sample, or of its document.

    Returns:
        int64 of shape (batch or 1, 1, queries or 1), counted from the first that was ever cached.
    """
    kept: IntArray = facts.dropped + _kept(spot, facts).argmax(1)[:, None, None]
    return np.maximum(kept, fallback_keys(seen.site, "first", True)) if seen.by_document else kept


def _kept(spot: Spot, facts: MaskFacts) -> BoolArray:
    """The real tokens among the keys that the module is given."""
    return np.ascontiguousarray(facts.real(spot.place)[:, facts.dropped :])
