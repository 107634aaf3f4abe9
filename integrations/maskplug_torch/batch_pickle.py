"""Pickle batches as bytes instead of tensors in shared memory.

A worker process that sends a tensor creates shared memory for it, which takes longer than masking
and padding a whole batch. Bytes are sent through the pipe with the rest of the message.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
import torch

#: Types that collators make; tensors of other types are pickled by torch.
TYPES = (torch.int64, torch.int32, torch.float32, torch.float64, torch.bool)


class PickledAsBytes:
    """A mapping with a ``data`` dict that pickles its tensors as arrays, integers narrowed.

    What is loaded has the same names, types, shapes and values, in writable memory of its own.
    """

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return _load, (type(self), {name: _packed(value) for name, value in self.items()})  # type: ignore[attr-defined]

    def __copy__(self) -> Self:
        return type(self)(dict(self))  # type: ignore[call-arg, call-overload]


class Batch(PickledAsBytes, dict[str, Any]):
    """A dict of tensors that is pickled as bytes.

    Example:
        >>> import pickle
        >>> pickle.loads(pickle.dumps(Batch({"labels": torch.tensor([-100, 70000])})))
        {'labels': tensor([ -100, 70000])}
    """


class _Packed(NamedTuple):
    array: np.ndarray[Any, Any]
    dtype: torch.dtype


def _load(kind: Any, packed: dict[str, Any]) -> Any:
    return kind({name: _unpacked(value) for name, value in packed.items()})


def _unpacked(value: Any) -> Any:
    return torch.from_numpy(value.array).to(value.dtype) if isinstance(value, _Packed) else value


def _packed(value: Any) -> Any:
    plain = (
        type(value) is torch.Tensor
        and value.dtype in TYPES
        and value.layout is torch.strided
        and value.device.type == "cpu"
        and not value.requires_grad
    )
    return _Packed(narrowed(value.numpy()), value.dtype) if plain else value


def narrowed(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the same integers in the narrowest type that holds them; other arrays unchanged."""
    if array.dtype != np.int64 or not array.size:
        return array
    extremes = int(array.min()), int(array.max())
    for dtype in (np.int8, np.int16, np.int32):
        limits = np.iinfo(dtype)
        if all(limits.min <= value <= limits.max for value in extremes):
            return array.astype(dtype)
    return array
