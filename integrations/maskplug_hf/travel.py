"""How a batch travels from a data-loading worker: as bytes, not as tensors in shared memory.

Each tensor that a worker sends has a shared memory of its own, for which both processes must meet
once more. However small the tensor, that takes longer than masking and padding a whole batch; bytes
go through the pipe with the rest of the message.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
import torch
from transformers import BatchEncoding

#: Narrower types than int64, and how far each of them reaches.
NARROW = {k: (int(np.iinfo(k).min), int(np.iinfo(k).max)) for k in (np.int8, np.int16, np.int32)}
#: From how many numbers on it is asked whether most are the same, and which share must be.
LARGE, SHARE = 256, 0.7
#: One in so many is looked at before all are.
STRIDE = 61
#: What collators make; tensors of any other kind travel as torch sends them.
TYPES = (torch.int64, torch.int32, torch.float32, torch.float64, torch.bool)


class Batch(BatchEncoding[Any]):
    """A ``BatchEncoding`` that is pickled as arrays, whole numbers in as few bytes as they need.

    Where most numbers are the same one, as in labels and attention masks, only the others travel.

    What arrives has the same names, types, shapes and values, in writable memory of its own. In
    every other way it is what all of transformers' collators return.

    Example:
        >>> import pickle
        >>> there = pickle.loads(pickle.dumps(Batch({"labels": torch.tensor([-100, 70000])})))
        >>> type(there).__name__, there["labels"]
        ('Batch', tensor([ -100, 70000]))
    """

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return _arrived, (type(self), {name: _packed(value) for name, value in self.data.items()})

    def __copy__(self) -> Self:
        return type(self)(dict(self.data))


def _arrived(kind: type[Batch], packed: dict[str, Any]) -> Batch:
    return kind({name: _unpacked(value) for name, value in packed.items()})


class _Packed(NamedTuple):
    """All numbers of a tensor."""

    array: np.ndarray[Any, Any]
    dtype: torch.dtype

    def unpacked(self) -> torch.Tensor:
        return torch.from_numpy(self.array).to(self.dtype)


class _Sparse(NamedTuple):
    """The number that most of a tensor are, and where others stand."""

    shape: tuple[int, ...]
    dtype: torch.dtype
    common: int
    places: np.ndarray[Any, Any]
    others: np.ndarray[Any, Any]

    def unpacked(self) -> torch.Tensor:
        made = torch.full(self.shape, self.common, dtype=self.dtype)
        made.view(-1).numpy()[self.places] = self.others
        return made


def _packed(value: Any) -> Any:
    plain = (
        type(value) is torch.Tensor
        and value.dtype in TYPES
        and value.layout is torch.strided
        and value.device.type == "cpu"
        and not value.requires_grad
    )
    if not plain:
        return value
    array = value.numpy()
    return _sparse(array, value.dtype) or _Packed(narrowed(array), value.dtype)


def _sparse(array: np.ndarray[Any, Any], dtype: torch.dtype) -> _Sparse | None:
    """The array in this form, or None where that is no gain."""
    flat = array.reshape(-1)
    if flat.dtype != np.int64 or len(flat) < LARGE:
        return None
    common = flat[0]
    if np.count_nonzero(flat[::STRIDE] == common) * STRIDE < len(flat) * SHARE:
        return None  # a look at a few is nearly always enough
    places = np.flatnonzero(flat != common)
    if len(places) > len(flat) * (1 - SHARE):
        return None
    return _Sparse(array.shape, dtype, int(common), narrowed(places), narrowed(flat[places]))


def _unpacked(value: Any) -> Any:
    return value.unpacked() if isinstance(value, _Packed | _Sparse) else value


def narrowed(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The same whole numbers in as few bytes as their extremes allow; other arrays as they are."""
    if array.dtype != np.int64 or not array.size:
        return array
    least, most = int(array.min()), int(array.max())
    for kind, (low, high) in NARROW.items():
        if low <= least and most <= high:
            return array.astype(kind)
    return array
