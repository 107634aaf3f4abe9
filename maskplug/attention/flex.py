"""Masks as PyTorch tensors: FlexAttention's ``mask_mod`` and ``BlockMask``, additive masks.

The only file of the core that imports torch, and only inside these functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from maskplug.attention.blocks import FULL, PARTIAL, Blocks
from maskplug.attention.intervals import Intervals
from maskplug.errors import OptionError, shortened
from maskplug.types import BoolArray, Bounds

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor
    from torch.nn.attention.flex_attention import BlockMask

    MaskMod = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]

__all__ = ["BlockMask", "MaskMod", "Tensor", "additive", "block_mask", "mask_mod"]

#: Up to this number of intervals per row, each is tested; beyond it, binary search is used.
FEW = 8


def mask_mod(rows: Intervals, device: Any = None) -> MaskMod:
    """Return the mask as a function of batch, head, query and key, for ``flex_attention``.

    All masks use one function with different tensors: masks of the same shape and number of
    intervals per row (rounded up to a power of two) share one compiled graph.
    """
    import torch

    device = _device(device)
    lo, hi = (torch.from_numpy(_wide(side, rows.n_keys)).to(device) for side in (rows.lo, rows.hi))
    keys = None if rows.keys is None else torch.tensor(rows.keys, device=device)
    # A tensor, because each Python number would get its own graph.
    step = None if rows.step == 1 else torch.tensor(rows.step, dtype=torch.int32, device=device)
    no_phase = np.zeros((1, 1, 1), np.int32)
    phase = torch.tensor(no_phase if rows.phase is None else rows.phase, device=device)

    def visible(b: Tensor, h: Tensor, q: Tensor, kv: Tensor) -> Tensor:
        zero = b * 0
        row = _index(lo, zero, b, h, q)
        width = lo.shape[-1]
        if width <= FEW:
            result = kv < zero
            for number in range(width):
                at = (*row, zero + number)
                result = result | ((lo[at] <= kv) & (kv < hi[at]))
        else:
            idx, half = zero + kv * 0, width // 2
            while half:  # compilers inline ``idx`` at every use: few uses compile faster
                idx = idx + half * (lo[(*row, idx + half)] <= kv)
                half //= 2
            result = (lo[(*row, idx)] <= kv) & (kv < hi[(*row, idx)])
        if keys is not None:
            result = result & keys[(*_index(keys, zero, b, h), kv)]
        if step is not None:
            result = result & ((kv - phase[_index(phase, zero, b, h, q)]) % step == 0)
        return result

    return visible


def block_mask(
    rows: Intervals, block_size: int | tuple[int, int] = 128, device: Any = None
) -> BlockMask:
    """Return the mask as ``torch.nn.attention.flex_attention.BlockMask``, without the matrix.

    Every tensor equals that of ``create_block_mask``, including the order of unused indices.
    """
    import torch
    from torch.nn.attention.flex_attention import BlockMask

    device = _device(device)
    blocks = Blocks.of(rows, block_size)

    def tensors(kind: int, by_keys: bool) -> tuple[Tensor, Tensor]:
        numbers, indices = blocks.listed(kind, by_keys)
        return torch.from_numpy(numbers).to(device), torch.from_numpy(indices).to(device)

    return BlockMask(
        (rows.shape[2], rows.n_keys),
        *tensors(PARTIAL, by_keys=False),
        *tensors(FULL, by_keys=False),
        *tensors(PARTIAL, by_keys=True),
        *tensors(FULL, by_keys=True),
        BLOCK_SIZE=blocks.block_size,
        mask_mod=mask_mod(rows, device),
    )


def additive(visible: BoolArray, dtype: Any) -> Tensor:
    """Return 0 where ``visible``, elsewhere the smallest finite number of a floating torch dtype.

    Raises:
        OptionError: if the dtype is not floating.
    """
    import torch

    if not getattr(dtype, "is_floating_point", False):
        raise OptionError(f"dtype is {shortened(dtype)}; it must be a floating type")
    hidden = torch.from_numpy(~visible)
    return torch.zeros(visible.shape, dtype=dtype).masked_fill_(hidden, torch.finfo(dtype).min)


def _device(device: Any) -> Any:
    """Return the device; by default the accelerator or the CPU, as ``create_block_mask``."""
    import torch

    if device is not None:
        try:
            return torch.device(device)
        except (RuntimeError, TypeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise OptionError(f"device is {shortened(device)}; {reason}") from None
    return torch.accelerator.current_accelerator() if torch.accelerator.is_available() else "cpu"


def _wide(side: Bounds, n_keys: int) -> Bounds:
    """Return bounds padded with empty intervals to a power of two."""
    k = side.shape[-1]
    out = np.full((*side.shape[:-1], 1 << (k - 1).bit_length()), n_keys, np.int32)
    out[..., :k] = side
    return out


def _index(tensor: Tensor, zero: Tensor, *axes: Tensor) -> tuple[Tensor, ...]:
    """Return the index of a cell's value, where axes of length 1 are broadcast."""
    return tuple(axis if size > 1 else zero for axis, size in zip(axes, tensor.shape, strict=False))
