"""The model's own mask as intervals."""

from __future__ import annotations

from collections.abc import Mapping
from types import FunctionType
from typing import Any

import numpy as np
import torch
from transformers import masking_utils as hf

from maskplug.attention import Intervals
from maskplug.types import IntArray
from maskplug_hf.attention.mask_metadata import MaskMetadata

#: Number of cells of an unknown mask function that are evaluated at once.
CELLS = 1 << 24


def model_mask(
    mask_function: Any, metadata: MaskMetadata, position_ids: Any, options: Mapping[str, Any]
) -> Intervals:
    """Return the keys that a mask function of transformers shows.

    Causal masks, windows and packed rows are recognized by comparing the function, including the
    values in its closure, with the one that transformers creates for them. Any other function is
    evaluated for every cell, a few queries at a time: memory is that of the intervals, time is
    proportional to q_len × kv_len.

    Args:
        mask_function: a function of sample, head, q_idx and kv_idx.
        metadata: the metadata of the mask.
        position_ids: int64 of shape (batch or 1, tokens), or None.
        options: the arguments with which transformers requests the mask.

    Returns:
        Intervals of key indices, which count from the first key ever cached. Padding is visible.
    """
    q_idx = np.arange(metadata.q_offset, metadata.q_end)[None]
    lengths = {metadata.q_len, metadata.kv_len}
    for known, lo, hi in _known_functions(options.get("local_size"), q_idx, metadata.kv_len):
        if _same(mask_function, known):
            return _intervals(metadata, lo, hi)
        if position_ids is None or {position_ids.shape[1]} != lengths:
            continue
        rows = torch.from_numpy(position_ids).expand(metadata.batch_size, -1)
        documents = hf.find_packed_sequence_indices(rows)
        if documents is not None and _same(
            mask_function, hf.packed_sequence_compatibility_function(known, rows, documents)
        ):
            # The numbers of documents increase from left to right.
            numbers = documents.numpy()
            first, end = (
                np.stack([np.searchsorted(row, row, side) for row in numbers])
                for side in ("left", "right")
            )
            return _intervals(metadata, np.maximum(lo, first), np.minimum(hi, end))
    return _evaluate(mask_function, metadata, options)


def _known_functions(
    window: int | None, q_idx: IntArray, kv_len: int
) -> list[tuple[Any, IntArray, IntArray]]:
    """Return mask functions, each with the first visible key and the end for every query."""
    zero = 0 * q_idx
    functions = [
        (hf.causal_mask_function, zero, q_idx + 1),
        (hf.bidirectional_mask_function, zero, zero + kv_len),
    ]
    if window is not None:
        causal = hf.sliding_window_causal_mask_function(window)
        both = hf.sliding_window_bidirectional_mask_function(window)
        functions += [
            (causal, q_idx - window + 1, q_idx + 1),
            (both, q_idx - window, q_idx + window + 1),
        ]
    return functions


def _intervals(metadata: MaskMetadata, lo: IntArray, hi: IntArray) -> Intervals:
    return Intervals.of(metadata.kv_len, lo[:, None, :, None], hi[:, None, :, None])


def _same(one: Any, other: Any) -> bool:
    """Return whether two functions have the same code and equal closures."""
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return one.shape == other.shape and bool((one.cpu() == other.cpu()).all())
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, FunctionType) and isinstance(other, FunctionType):
        closures = [
            tuple(cell.cell_contents for cell in function.__closure__ or ())
            for function in (one, other)
        ]
        return one.__code__ is other.__code__ and _same(*closures)
    return type(one) is type(other) and bool(one == other)


def _evaluate(mask_function: Any, metadata: MaskMetadata, options: Mapping[str, Any]) -> Intervals:
    """Evaluate every cell of a mask function, some queries at a time."""
    width = metadata.kv_len - metadata.kv_offset
    step = max(CELLS // max(metadata.batch_size * width, 1), 1)
    parts = []
    for start in range(0, metadata.q_len, step):
        visible = hf.sdpa_mask(
            batch_size=metadata.batch_size,
            q_length=min(step, metadata.q_len - start),
            kv_length=width,
            q_offset=metadata.q_offset + start,
            kv_offset=metadata.kv_offset,
            mask_function=mask_function,
            attention_mask=None,
            allow_is_causal_skip=False,
            allow_is_bidirectional_skip=False,
            use_vmap=options.get("use_vmap", False),
            device=options.get("device", "cpu"),
        )
        assert visible is not None  # as no skip is allowed
        parts.append(Intervals.of_mask(visible.cpu().numpy()))
    most = max(part.lo.shape[-1] for part in parts)
    lo, hi = (
        np.concatenate(
            [np.pad(side, [(0, 0)] * 3 + [(0, most - side.shape[-1])]) for side in sides], axis=2
        )
        for sides in zip(*((part.lo, part.hi) for part in parts), strict=True)
    )
    return Intervals.of(metadata.kv_len, lo + metadata.kv_offset, hi + metadata.kv_offset)
