"""The rule that a model has of its own, as intervals."""

from __future__ import annotations

from collections.abc import Mapping
from types import FunctionType
from typing import Any

import numpy as np
import torch
from transformers import masking_utils as hf

from maskplug.attention import Intervals
from maskplug.types import IntArray
from maskplug_hf.attention.facts import MaskFacts

#: How many cells of an unknown rule are looked at in one go.
CELLS = 1 << 24


def own_rule(sees: Any, facts: MaskFacts, positions: Any, options: Mapping[str, Any]) -> Intervals:
    """What a mask function of transformers shows.

    Causality, windows and packed rows are recognised: they are compared with what transformers
    makes of them, down to the values in their closures. Of every other rule each cell is looked at,
    a few rows at a time: nothing as large as queries × keys is kept, but the time is that.

    Args:
        sees: the function of sample, head, query and key.
        facts: how the mask stands to the tokens.
        positions: int64 of shape (batch or 1, tokens), or None.
        options: what else transformers says: the size of a window, the device, ….

    Returns:
        Intervals of keys counted from the first that was ever cached; padding counts as seen.
    """
    at = np.arange(facts.queries)[None] + facts.offset
    for known, lo, hi in _known(options.get("local_size"), at, facts.keys):
        if _same(sees, known):
            return _of(facts, lo, hi)
        if positions is None or positions.shape[1] != facts.keys or facts.queries != facts.keys:
            continue
        rows = torch.from_numpy(positions).expand(facts.batch, -1)
        documents = hf.find_packed_sequence_indices(rows)
        if documents is not None and _same(
            sees, hf.packed_sequence_compatibility_function(known, rows, documents)
        ):
            first, end = _borders(documents.numpy())
            return _of(facts, np.maximum(lo, first), np.minimum(hi, end))
    return _looked_at(sees, facts, options)


def _known(size: int | None, at: IntArray, keys: int) -> list[tuple[Any, IntArray, IntArray]]:
    """Rules, and the first key and the end of what each query sees by them."""
    zero = 0 * at
    rules = [
        (hf.causal_mask_function, zero, at + 1),
        (hf.bidirectional_mask_function, zero, zero + keys),
    ]
    if size is not None:
        causal = hf.sliding_window_causal_mask_function(size)
        both = hf.sliding_window_bidirectional_mask_function(size)
        rules += [(causal, at - size + 1, at + 1), (both, at - size, at + size + 1)]
    return rules


def _of(facts: MaskFacts, lo: IntArray, hi: IntArray) -> Intervals:
    return Intervals.of(facts.keys, lo[:, None, :, None], hi[:, None, :, None])


def _borders(documents: IntArray) -> tuple[IntArray, IntArray]:
    """The first token and the end of each token's document, which only ever grow."""
    first = np.stack([np.searchsorted(row, row, "left") for row in documents])
    end = np.stack([np.searchsorted(row, row, "right") for row in documents])
    return first, end


def _same(one: Any, other: Any) -> bool:
    """Whether two functions do the same because code and closures are the same."""
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return one.shape == other.shape and bool((one.cpu() == other.cpu()).all())
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, FunctionType) and isinstance(other, FunctionType):
        cells = [
            tuple(cell.cell_contents for cell in function.__closure__ or ())
            for function in (one, other)
        ]
        return one.__code__ is other.__code__ and _same(*cells)
    return type(one) is type(other) and bool(one == other)


def _looked_at(sees: Any, facts: MaskFacts, options: Mapping[str, Any]) -> Intervals:
    """Every cell of a rule, some queries at a time."""
    width = facts.keys - facts.dropped
    step = max(CELLS // max(facts.batch * width, 1), 1)
    parts = []
    for start in range(0, facts.queries, step):
        seen = hf.sdpa_mask(
            batch_size=facts.batch,
            q_length=min(step, facts.queries - start),
            kv_length=width,
            q_offset=facts.offset + start,
            kv_offset=facts.dropped,
            mask_function=sees,
            attention_mask=None,
            allow_is_causal_skip=False,
            allow_is_bidirectional_skip=False,
            use_vmap=options.get("use_vmap", False),
            device=options.get("device", "cpu"),
        )
        assert seen is not None  # as no skip is allowed
        parts.append(Intervals.of_mask(seen.cpu().numpy()))
    most = max(part.lo.shape[-1] for part in parts)
    room = [(0, 0), (0, 0), (0, 0)]
    lo, hi = (
        np.concatenate(
            [np.pad(side, [*room, (0, most - side.shape[-1])]) for side in sides], axis=2
        )
        for sides in zip(*((part.lo, part.hi) for part in parts), strict=True)
    )
    return Intervals.of(facts.keys, lo + facts.dropped, hi + facts.dropped)
