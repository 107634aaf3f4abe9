"""Masks as PyTorch's tensors: FlexAttention's ``mask_mod`` and ``BlockMask``, additive masks.

The only file of the core that imports torch, and only when one of these is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from maskplug.attention.blocks import FULL, PARTIAL, Blocks
from maskplug.attention.flat import phase_of
from maskplug.attention.intervals import Bounds, Intervals
from maskplug.errors import OptionError, shortened
from maskplug.types import BoolArray

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor
    from torch.nn.attention.flex_attention import BlockMask

    MaskMod = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]

__all__ = ["BlockMask", "MaskMod", "Tensor", "additive", "block_mask", "mask_mod"]

#: Up to so many intervals a row, each is tested; beyond, the one in question is searched for.
FEW = 8


def mask_mod(rows: Intervals, device: Any = None) -> MaskMod:
    """The mask as a function of batch, head, query and key, for ``flex_attention``.

    One function serves every mask, and only its tensors differ: masks of the same shape and of
    about as many intervals a row (rounded up to a power of two) share one compiled graph.
    """
    import torch

    device = _device(device)
    lo, hi = (torch.from_numpy(_wide(side, rows.n_keys)).to(device) for side in (rows.lo, rows.hi))
    keys = None if rows.keys is None else torch.tensor(rows.keys, device=device)
    # A tensor, as a number of Python's would make a graph of its own for every step.
    step = None if rows.step == 1 else torch.tensor(rows.step, dtype=torch.int32, device=device)
    phase = None if step is None else torch.tensor(phase_of(rows), device=device)

    def sees(b: Tensor, h: Tensor, q: Tensor, kv: Tensor) -> Tensor:
        zero = b * 0
        row = _place(lo, zero, b, h, q)
        width = lo.shape[-1]
        if width <= FEW:
            visible = kv < zero
            for number in range(width):
                at = (*row, zero + number)
                visible = visible | ((lo[at] <= kv) & (kv < hi[at]))
        else:
            found, half = zero + kv * 0, width // 2
            while half:  # compilers write out ``found`` at every use: few uses, short compilation
                found = found + half * (lo[(*row, found + half)] <= kv)
                half //= 2
            visible = (lo[(*row, found)] <= kv) & (kv < hi[(*row, found)])
        if keys is not None:
            visible = visible & keys[(*_place(keys, zero, b, h), kv)]
        if step is not None and phase is not None:
            visible = visible & ((kv - phase[_place(phase, zero, b, h, q)]) % step == 0)
        return visible

    return sees


def block_mask(
    rows: Intervals, block_size: int | tuple[int, int] = 128, device: Any = None
) -> BlockMask:
    """The mask as ``torch.nn.attention.flex_attention.BlockMask``, without the matrix between.

    Every tensor is that of ``create_block_mask`` on the same mask, the order of unused indices
    included.
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


def additive(seen: BoolArray, dtype: Any) -> Tensor:
    """0 where ``seen``, elsewhere the least finite number of a floating dtype of torch's.

    Raises:
        OptionError: for a dtype that is not floating.
    """
    import torch

    if not getattr(dtype, "is_floating_point", False):
        raise OptionError(f"dtype is {shortened(dtype)}; it must be a floating type")
    hidden = torch.from_numpy(~seen)
    return torch.zeros(seen.shape, dtype=dtype).masked_fill_(hidden, torch.finfo(dtype).min)


def _device(device: Any) -> Any:
    """The given one, else the accelerator, else the CPU: as in ``create_block_mask``."""
    import torch

    if device is not None:
        try:
            return torch.device(device)
        except (RuntimeError, TypeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise OptionError(f"device is {shortened(device)}; {reason}") from None
    return torch.accelerator.current_accelerator() if torch.accelerator.is_available() else "cpu"


def _wide(side: Bounds, n_keys: int) -> Bounds:
    """A side of the intervals with room for a power of two, filled up with empty ones."""
    k = side.shape[-1]
    out = np.full((*side.shape[:-1], 1 << (k - 1).bit_length()), n_keys, np.int32)
    out[..., :k] = side
    return out


def _place(tensor: Tensor, zero: Tensor, *axes: Tensor) -> tuple[Tensor, ...]:
    """Where a cell's value stands: an axis of 1 stands for all."""
    return tuple(axis if size > 1 else zero for axis, size in zip(axes, tensor.shape, strict=False))
