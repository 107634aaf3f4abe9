"""Block masks for flex attention from a pattern and the model's own mask, without the matrix."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch._dynamo import config as dynamo

from maskplug.arrays import frozen
from maskplug.attention import Intervals
from maskplug.attention.flex import block_mask
from maskplug.errors import OptionError
from maskplug_hf.attention.mask_metadata import LazyMask
from maskplug_hf.attention.masks import MaskCall, cached_by_layer, render

#: Up to this number of queries, a matrix is computed once to compare the pattern with the model.
MAX_COMPARED_QUERIES = 1024
#: Up to this number of cells, flex attention is not compiled on the CPU.
MAX_EAGER_CELLS = 1 << 20


def combined_blocks(call: MaskCall, mask: LazyMask, kv_len: int, device: Any) -> Any:
    """Combine the model's own mask with the pattern.

    Returns:
        A ``BlockMask`` of shape (batch or 1, heads or 1, q_len, kv_len).
    """
    call.note_decoder_queries()

    def build() -> tuple[Any, bool]:
        visible, shared = _visible(call, mask)
        visible = _slice_keys(visible, call.metadata.kv_offset, kv_len)
        return block_mask(visible, device=device), shared

    key = (call.kind, call.heads, device, kv_len)
    return cached_by_layer(call.metadata.masks, key, call.module, build)


def check_flex(module: Any, query: Any, options: Mapping[str, Any]) -> None:
    """Raise an OptionError for what flex attention cannot compute.

    These are gradients on the CPU, dropout, and a bias for every cell.
    """
    name = type(module).__name__
    if options.get("dropout"):
        raise OptionError(
            f"{name} uses attention dropout ({options['dropout']}), which flex attention does not "
            "support: set the attention dropout in the config to 0, or use backend='sdpa'"
        )
    if options.get("position_bias") is not None:
        raise OptionError(
            f"{name} adds a bias for every query and key, which is as large as the mask that "
            "backend='flex' avoids: use backend='sdpa'"
        )
    if query.device.type == "cpu" and query.requires_grad and torch.is_grad_enabled():
        raise OptionError(
            f"{name} needs gradients on the CPU, where flex attention has none: use "
            "backend='sdpa' for training, or torch.no_grad() for inference"
        )


def compile_if_large(query: Any, key: Any) -> AbstractContextManager[Any]:
    """Return a context that controls how transformers' flex attention is compiled on the CPU.

    A small mask takes longer to compile than to compute, and decoding changes the length with
    every token. A large one is compiled for its exact length: for dynamic lengths, torch 2.13
    generates invalid C++.
    """
    if query.device.type != "cpu" or torch.compiler.is_compiling():
        return nullcontext()
    if query.shape[-2] * key.shape[-2] <= MAX_EAGER_CELLS:
        eager: AbstractContextManager[Any] = torch.compiler.set_stance("force_eager")
        return eager
    static: AbstractContextManager[Any] = dynamo.patch(automatic_dynamic_shapes=False)
    return static


def _visible(call: MaskCall, mask: LazyMask) -> tuple[Intervals, bool]:
    """Return all visible keys, indexed from the first one ever cached; and if all layers share it.

    Queries that are padding may have no visible key.
    """
    settings, metadata = call.forward.settings, call.metadata
    real = Intervals.of_mask(call.real[:, None, None])
    if call.pattern is None:
        return mask.model_mask & real, True
    pattern_mask, site, shared = render(call, None)
    if settings.keep_own:
        compared = call.kind in settings.compared
        if metadata.q_len <= MAX_COMPARED_QUERIES and not compared:
            dense = [torch.from_numpy(rows.dense()) for rows in (mask.model_mask, pattern_mask)]
            settings.warn_if_pattern_only_adds(call.kind, *dense, torch.from_numpy(call.real))
        real = mask.model_mask & real
    visible = pattern_mask & real
    empty = (visible.counts == 0) & site.valid_queries[:, None]
    if empty.any():
        settings.warn_empty_rows(call.kind, empty)
        keys = call.fallback_idx(site)
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
        phase = frozen(rows.phase - first, np.int32)
        result = replace(result, step=rows.step, phase=phase)
    return result
