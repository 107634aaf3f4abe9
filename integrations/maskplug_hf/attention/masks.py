"""Render a pattern for one attention module and combine it with the model's own mask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from maskplug.arrays import BoolArray, IntArray
from maskplug.attention import Place
from maskplug.attention.site import Site, WatchedSite
from maskplug_hf.attention.columns import annotations, query_offset
from maskplug_hf.attention.forward import ForwardPass
from maskplug_hf.attention.mask_metadata import MaskMetadata
from maskplug_hf.attention.modules import AttentionModule


@dataclass(frozen=True, eq=False)
class MaskCall:
    """One use of an attention module in a forward pass."""

    module: AttentionModule
    metadata: MaskMetadata
    forward: ForwardPass
    heads: int

    @property
    def kind(self) -> Place:
        """The attention kind."""
        return self.module.attention_kind

    @property
    def pattern(self) -> Any:
        """The pattern of the attention kind; None keeps the model's own mask."""
        return self.forward.patterns.get(self.kind)

    @cached_property
    def real(self) -> BoolArray:
        """The keys that hold a token: bool of shape (batch or 1, kv_len)."""
        return self.metadata.real(self.kind)

    def note_decoder_queries(self) -> None:
        """Store offset and validity of the decoder's queries for the cross-attention that follows.

        In cross-attention, the mask itself only describes the encoder's tokens.
        """
        if self.kind == "decoder":
            metadata = self.metadata
            self.forward.decoder_queries = (metadata.q_offset, self.real[:, : metadata.q_end])

    def fallback_idx(self, site: Site) -> IntArray:
        """Return the key for queries without a visible key: their own, or the first one.

        The first one is that of the sample, or of the document where the pattern separates them.
        The shape is (batch or 1, 1, q_len or 1).
        """
        metadata = self.metadata
        if self.kind != "cross" and self.forward.settings.fallback != "first":
            return np.arange(metadata.q_offset, metadata.q_end)[None, None]
        cached = self.real[:, metadata.kv_offset :].argmax(1)[:, None, None]
        first = site.first_keys(self.pattern.separates)
        return np.maximum(metadata.kv_offset + cached, first)


def combined_mask(call: MaskCall, mask: Any) -> Any:
    """Combine the model's own mask with the pattern.

    Args:
        call: the use of attention.
        mask: bool, True = may attend, or floats that are added to the scores.

    Returns:
        A mask of the same dtype, of shape (batch, heads or 1, q_len, kv_len).
    """
    call.note_decoder_queries()
    if call.pattern is None:
        return mask
    # A mask made before this pass may be used in several passes.
    cache = call.metadata.masks if call.metadata.forward is call.forward else {}

    def combine() -> tuple[Any, bool]:
        pattern_mask, site, shared = render(call, mask.device)
        return _combine(call, mask, pattern_mask, site), shared

    return cached_by_layer(cache, (call.kind, call.heads, mask.device), call.module, combine)


def render(call: MaskCall, device: Any) -> tuple[Any, Site, bool]:
    """Render the pattern, once for all masks and layers for which the result is the same.

    Returns:
        The visible keys, as a bool tensor of shape (batch or 1, heads or 1, q_len, kv_len) or, if
        device is None, as Intervals; the pattern's arguments; whether it holds for all layers.
    """
    metadata, forward = call.metadata, call.forward
    offset = query_offset(forward, metadata, call.kind)
    key = (call.kind, metadata.lengths, offset, call.heads, call.real.tobytes(), device)

    def rows() -> tuple[tuple[Any, Site, bool], bool]:
        site = WatchedSite(
            metadata.q_len,
            metadata.kv_len,
            forward.when(metadata.batch_size),
            call.heads,
            offset,
            call.kind,
            call.module.layer_idx,
            annotations(forward, metadata, call.kind, call.pattern),
        )
        visible = call.pattern.rows(site)
        if device is not None:
            dense = np.ascontiguousarray(visible.dense()[..., metadata.kv_offset :])
            visible = torch.from_numpy(dense).to(device)
        shared = not site.asked
        return (visible, site, shared), shared

    result: tuple[Any, Site, bool]
    result = cached_by_layer(forward.rendered, key, call.module, rows)
    return result


def cached_by_layer(
    cache: dict[Any, Any], key: Any, module: AttentionModule, build: Callable[[], tuple[Any, bool]]
) -> Any:
    """Return the cached value for all layers or for the module's, or build and cache it.

    ``build`` returns the value, and whether it holds for all layers.
    """
    for layer_idx in (None, module.layer_idx):
        if (key, layer_idx) in cache:
            return cache[key, layer_idx]
    value, shared = build()
    cache[key, None if shared else module.layer_idx] = value
    return value


def _combine(call: MaskCall, mask: Any, pattern_mask: Any, site: Site) -> Any:
    settings, kv_offset = call.forward.settings, call.metadata.kv_offset
    lowest = None if mask.dtype == torch.bool else torch.finfo(mask.dtype).min
    model_mask = mask if lowest is None else mask > lowest / 2
    width = model_mask.shape[-1]  # some models cut their mask to the keys
    pattern_mask = pattern_mask[..., :width]
    real = np.ascontiguousarray(call.real[:, kv_offset : kv_offset + width])
    real = torch.from_numpy(real).to(mask.device)
    if settings.keep_own:
        settings.warn_if_pattern_only_adds(call.kind, model_mask, pattern_mask, real)
        visible = model_mask & pattern_mask
    else:
        visible = pattern_mask & real[:, None, None]
    empty = ~visible.any(-1)
    if empty.any():
        # Padding attends to a key too: a softmax over an empty row gives NaN in some backends.
        lost = empty.cpu().numpy() & site.valid_queries[:, None]
        if lost.any():
            settings.warn_empty_rows(call.kind, lost)
        fallback = torch.from_numpy(call.fallback_idx(site) - kv_offset).to(mask.device)
        keys = torch.arange(width, device=mask.device)
        visible = visible | (empty[..., None] & (keys == fallback[..., None]))
    if lowest is None:
        return visible
    zero = torch.zeros((), dtype=mask.dtype, device=mask.device)
    # A bias that the model added to its mask is kept where the model shows the key.
    return torch.where(visible, torch.where(model_mask, mask, zero), lowest)
