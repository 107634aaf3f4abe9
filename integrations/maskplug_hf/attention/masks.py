"""Render a pattern for one attention module and combine it with the model's own mask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch

from maskplug.attention import AttentionCall, AttentionKind, Intervals
from maskplug.attention.fallback import fallback_keys
from maskplug.attention.flex import block_mask
from maskplug.types import BoolArray, IntArray, readonly
from maskplug_hf.attention.columns import call_annotations, query_offset
from maskplug_hf.attention.mask_metadata import ForwardPass, MaskMetadata
from maskplug_hf.attention.modules import AttentionModule

#: With flex attention, up to this number of queries, a matrix is computed once for a warning.
MAX_COMPARED_QUERIES = 1024


@dataclass(frozen=True, eq=False)
class MaskRequest:
    """One use of an attention module in a forward pass."""

    module: AttentionModule
    metadata: MaskMetadata
    forward: ForwardPass
    heads: int

    @property
    def kind(self) -> AttentionKind:
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

    def fallback_idx(self, call: AttentionCall) -> IntArray:
        """Return the key for queries without a visible key: their own, or the first one.

        The first one is that of the sample, or of the document where the pattern separates them.
        The shape is (batch or 1, 1, q_len or 1).
        """
        metadata = self.metadata
        if self.kind != "cross" and self.forward.settings.fallback != "first":
            return np.arange(metadata.q_offset, metadata.q_end)[None, None]
        cached = self.real[:, metadata.kv_offset :].argmax(1)[:, None, None]
        first: IntArray = metadata.kv_offset + cached
        return np.maximum(first, fallback_keys(call, "first", self.pattern.separates))


def combined_mask(request: MaskRequest, mask: Any, kv_len: int, device: Any) -> Any:
    """Combine the model's own mask with the pattern.

    Args:
        request: the use of attention.
        mask: a tensor (bool, True = may attend, or floats that are added to the scores), or the
            ``MaskMetadata`` of flex attention.
        kv_len, device: number of keys and device of the block mask.

    Returns:
        A mask of shape (batch, heads or 1, q_len, kv_len): a tensor of the same dtype, or a
        ``BlockMask``.
    """
    metadata, forward = request.metadata, request.forward
    if request.kind == "decoder":
        # In the cross-attention that follows, the mask only describes the encoder's tokens.
        forward.decoder_queries = (metadata.q_offset, request.real[:, : metadata.q_end])

    def blocks() -> tuple[Any, bool]:
        visible, shared = _visible_intervals(request)
        visible = _slice_keys(visible, metadata.kv_offset, kv_len)
        return block_mask(visible, device=device), shared

    def matrix() -> tuple[Any, bool]:
        pattern_mask, call, shared = _render(request, mask.device)
        return _combined_matrix(request, mask, pattern_mask, call), shared

    if metadata.model_mask is not None:
        return _cached(
            metadata.masks, (request.kind, request.heads, device, kv_len), request, blocks
        )
    if request.pattern is None:
        return mask
    # A mask made before this pass may be used in several passes.
    cache = metadata.masks if metadata.forward is forward else {}
    return _cached(cache, (request.kind, request.heads, mask.device), request, matrix)


def _cached(
    cache: dict[Any, Any], key: Any, request: MaskRequest, build: Callable[[], tuple[Any, bool]]
) -> Any:
    """Return the cached value for all layers or for the request's, or build and cache it.

    ``build`` returns the value, and whether it holds for all layers.
    """
    for layer_idx in (None, request.module.layer_idx):
        if (key, layer_idx) in cache:
            return cache[key, layer_idx]
    value, shared = build()
    cache[key, None if shared else request.module.layer_idx] = value
    return value


def _render(request: MaskRequest, device: Any) -> tuple[Any, AttentionCall, bool]:
    """Render the pattern, once for all masks and layers for which the result is the same.

    Returns:
        The visible keys, as a bool tensor of shape (batch or 1, heads or 1, q_len, kv_len) or, if
        device is None, as Intervals; the pattern's arguments; whether it holds for all layers.
    """
    metadata, forward = request.metadata, request.forward
    offset = query_offset(forward, metadata, request.kind)

    def render() -> tuple[tuple[Any, AttentionCall, bool], bool]:
        shared = not request.pattern.uses_layer_idx
        call = AttentionCall(
            metadata.q_len,
            metadata.kv_len,
            forward.context(metadata.batch_size),
            request.heads,
            offset,
            request.kind,
            0 if shared else request.module.layer_idx,
            call_annotations(forward, metadata, request.kind, request.pattern),
        )
        visible = request.pattern.rows(call)
        if device is not None:
            dense = np.ascontiguousarray(visible.dense()[..., metadata.kv_offset :])
            visible = torch.from_numpy(dense).to(device)
        return (visible, call, shared), shared

    key = (request.kind, metadata.lengths, offset, request.heads, request.real.tobytes(), device)
    result: tuple[Any, AttentionCall, bool] = _cached(forward.rendered, key, request, render)
    return result


def _combined_matrix(
    request: MaskRequest, mask: Any, pattern_mask: Any, call: AttentionCall
) -> Any:
    settings, kv_offset = request.forward.settings, request.metadata.kv_offset
    lowest = None if mask.dtype == torch.bool else torch.finfo(mask.dtype).min
    model_mask = mask if lowest is None else mask > lowest / 2
    width = model_mask.shape[-1]  # some models cut their mask to the keys
    pattern_mask = pattern_mask[..., :width]
    cached = np.ascontiguousarray(request.real[:, kv_offset : kv_offset + width])
    real = torch.from_numpy(cached).to(mask.device)
    if settings.keep_own:
        settings.warn_if_pattern_only_adds(request.kind, model_mask, pattern_mask, real)
        visible = model_mask & pattern_mask
    else:
        visible = pattern_mask & real[:, None, None]
    empty = ~visible.any(-1)
    if empty.any():
        # Padding attends to a key too: a softmax over an empty row gives NaN in some backends.
        lost = empty.cpu().numpy() & call.valid_queries[:, None]
        if lost.any():
            settings.warn_empty_rows(request.kind, lost)
        fallback = torch.from_numpy(request.fallback_idx(call) - kv_offset).to(mask.device)
        keys = torch.arange(width, device=mask.device)
        visible = visible | (empty[..., None] & (keys == fallback[..., None]))
    if lowest is None:
        return visible
    zero = torch.zeros((), dtype=mask.dtype, device=mask.device)
    # A bias that the model added to its mask is kept where the model shows the key.
    return torch.where(visible, torch.where(model_mask, mask, zero), lowest)


def _visible_intervals(request: MaskRequest) -> tuple[Intervals, bool]:
    """Return the visible keys for flex attention, and whether they hold for all layers.

    Queries that are padding may have no visible key.
    """
    settings, metadata = request.forward.settings, request.metadata
    model_mask: Any = metadata.model_mask
    real = Intervals.of_mask(request.real[:, None, None])
    if request.pattern is None:
        return model_mask & real, True
    pattern_mask, call, shared = _render(request, None)
    if settings.keep_own:
        if metadata.q_len <= MAX_COMPARED_QUERIES and request.kind not in settings.compared:
            masks = (model_mask.dense(), pattern_mask.dense(), request.real)
            settings.warn_if_pattern_only_adds(request.kind, *map(torch.from_numpy, masks))
        real = model_mask & real
    visible = pattern_mask & real
    empty = (visible.counts == 0) & call.valid_queries[:, None]
    if empty.any():
        settings.warn_empty_rows(request.kind, empty)
        keys = request.fallback_idx(call)
        keys = np.broadcast_to(keys, np.broadcast_shapes(keys.shape, empty.shape))
        ends = np.where(empty, keys + 1, keys)
        visible |= Intervals.of(metadata.kv_len, keys[..., None], ends[..., None])
    return visible, shared


def _slice_keys(rows: Intervals, first: int, kv_len: int) -> Intervals:
    """Return the intervals of some of the keys, indexed from the first one of them."""
    if (first, kv_len) == (0, rows.n_keys):
        return rows
    lo, hi = (side.astype(np.int64) - first for side in (rows.lo, rows.hi))
    result = Intervals.of(kv_len, lo, hi)
    if rows.keys is not None:
        result = result.only(rows.keys[..., first : first + kv_len])
    if rows.phase is not None:
        phase = readonly(rows.phase - first, np.int32)
        result = replace(result, step=rows.step, phase=phase)
    return result
