"""Convert lists of samples to columns, and columns to flat arrays. Performance-critical."""

from __future__ import annotations

import math
from collections import UserDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import repeat
from operator import eq, methodcaller, ne
from typing import Any

import numpy as np
import torch

from maskplug.errors import TokenError
from maskplug.ragged import Ragged, flatten, plain_row
from maskplug.types import BoolArray, FloatArray, IntArray, lengths_of, offsets_of

Column = list[Any]

#: Tensor types that hold integers.
_INTEGERS = {torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool}

_names = methodcaller("keys")


def columns_of(samples: Sequence[Any]) -> dict[str, Column]:
    """Return the columns of a list of samples; bare rows of ids are the column ``input_ids``."""
    if not len(samples):
        raise TokenError("the list of features is empty: there is nothing to collate")
    first = samples[0]
    if not isinstance(first, Mapping):
        if hasattr(first, "columns"):  # of pandas, polars or Arrow
            raise TokenError(
                f"feature 0 is a table ({type(first).__name__}); expected one mapping per sample "
                "(a datasets.Dataset returns them after dataset.with_format(None))"
            )
        return {"input_ids": list(samples)}
    if isinstance(first, UserDict):  # its inner dict is ten times faster; also BatchEncoding
        samples = [row.data if isinstance(row, UserDict) else row for row in samples]
        first = samples[0]
    names = first.keys()
    if "input_ids" not in names:
        raise TokenError(f"features have no column 'input_ids', only {sorted(names)}")
    mappings = all(issubclass(kind, Mapping) for kind in set(map(type, samples)))
    if not mappings or any(map(ne, map(_names, samples), repeat(names))):
        expected = sorted(first)
        all_names = (sorted(s) if isinstance(s, Mapping) else type(s).__name__ for s in samples)
        i, other = next((i, other) for i, other in enumerate(all_names) if other != expected)
        raise TokenError(f"feature {i} has {other}, the first one has {expected}")
    return {name: [sample[name] for sample in samples] for name in names}


@lru_cache(maxsize=8192)
def _ones(length: int) -> list[int]:
    return [1] * length


def hidden_tokens(rows: Column, offsets: IntArray) -> BoolArray | None:
    """Return where an attention mask is 0: one bool per token, or None where it is 1 everywhere."""
    # Comparing two lists is five times as fast as reading one, and nearly always enough.
    full = map(_ones, lengths_of(offsets).tolist())
    if set(map(type, rows)) == {list} and all(map(eq, rows, full)):
        return None
    visible = annotation("attention_mask", rows, offsets)
    return None if visible.all() else visible == 0


def aligned(name: str, rows: Column, offsets: IntArray) -> IntArray:
    """Return a column with one integer per token: flat int64."""
    values, own_offsets = flat(name, rows)
    if len(own_offsets) != len(offsets) or (own_offsets != offsets).any():
        _check_lengths(name, rows, offsets)
    return values


def _check_lengths(name: str, rows: Column, offsets: IntArray) -> None:
    rows = [plain_row(row) for row in rows]
    for i, (row, length) in enumerate(zip(rows, lengths_of(offsets).tolist(), strict=True)):
        if _length(row) != length:
            raise TokenError(
                f"column {name!r} has {_length(row)} values for the {length} tokens of feature {i}"
            )


def annotation(name: str, rows: Column, offsets: IntArray) -> np.ndarray[Any, Any]:
    """Return a column with one number per token: flat int64 if all are integers, else float64."""
    with suppress(TokenError):
        return aligned(name, rows, offsets)
    _check_lengths(name, rows, offsets)
    return np.concatenate([_floats(name, row, i) for i, row in enumerate(rows)])


def _floats(name: str, row: Any, feature: int) -> FloatArray:
    array = np.asarray(plain_row(row))
    if array.ndim != 1 or array.dtype.kind not in "biuf":
        raise TokenError(
            f"column {name!r} of feature {feature} is {row!r:.60}; expected one number per token"
        )
    if array.dtype.kind == "f" and np.isnan(array).any():
        token = int(np.flatnonzero(np.isnan(array))[0])
        raise TokenError(f"column {name!r} of feature {feature} is nan at token {token}")
    return array.astype(np.float64)


def flat(name: str, rows: Column) -> tuple[IntArray, IntArray]:
    """Return a column of rows of integers as flat int64 values and offsets."""
    try:
        return _of_tensors(rows) or flatten(rows)
    except TokenError as error:
        raise TokenError(f"column {name!r}: {error}") from None


def _of_tensors(rows: Column) -> tuple[IntArray, IntArray] | None:
    """Return rows that are all CPU tensors of integers, read at once; None for any others."""
    if set(map(type, rows)) != {torch.Tensor}:
        return None
    try:
        joined = torch.cat(rows)
    except RuntimeError:  # flatten() names the invalid row
        return None
    if joined.ndim != 1 or joined.dtype not in _INTEGERS or joined.device.type != "cpu":
        return None
    lengths = [row.numel() for row in rows]
    return joined.numpy().astype(np.int64, copy=False), offsets_of(lengths)


def word_starts(rows: Column, offsets: IntArray) -> BoolArray:
    """Return where words begin: True where ``word_ids`` differs from the token before.

    Special tokens, whose word id is None or -1, are words of their own.
    """
    rows = [plain_row(row) for row in rows]
    filled = [
        [-1 if word is None else word for word in row] if isinstance(row, list) else _integers(row)
        for row in rows
    ]
    words = aligned("word_ids", filled, offsets)
    starts = np.ones(len(words), np.bool_)
    starts[1:] = (words[1:] != words[:-1]) | (words[1:] < 0)
    firsts = offsets[:-1]
    starts[firsts[firsts < len(starts)]] = True
    return starts


def _integers(row: Any) -> Any:
    # The numpy format of `datasets` returns a column with missing values as floats and NaN.
    array = np.asarray(row)
    return np.nan_to_num(array, nan=-1.0).astype(np.int64) if array.dtype.kind == "f" else array


def labels_of(columns: dict[str, Column], names: frozenset[str]) -> Ragged | np.ndarray[Any, Any]:
    """Return a column of labels: ragged int64 for sequences of ids, else a stacked array.

    Single labels, and rows of floats (multi-label), are stacked as int64 or float32.
    """
    name, *others = sorted(names)
    if others:
        raise TokenError(f"features have the columns {sorted(names)}; expected one for labels")
    values = [plain_row(value) for value in columns[name]]
    kinds = {_is_scalar(value) for value in values}
    if len(kinds) > 1:
        odd = next(i for i, v in enumerate(values) if _is_scalar(v) != _is_scalar(values[0]))
        raise TokenError(
            f"column {name!r} mixes single labels and sequences: {values[0]!r:.60} in feature 0, "
            f"{values[odd]!r:.60} in feature {odd}"
        )
    if kinds == {True} or _holds_floats(values):
        return stacked(name, values)
    return Ragged(*flat(name, values))


def _holds_floats(rows: Column) -> bool:
    first = next((row[0] for row in rows if len(row)), 0)
    return np.asarray(first).dtype.kind == "f"


def plain_key(key: Any) -> Any:
    """Return the key inside a one-element array or tensor, or an Arrow scalar; others unchanged."""
    if hasattr(key, "as_py"):
        return key.as_py()
    single = isinstance(key, torch.Tensor | np.ndarray) and math.prod(key.shape) == 1
    return key.item() if single else key


def _is_scalar(value: Any) -> bool:
    return not hasattr(value, "__len__") or getattr(value, "ndim", 1) == 0


def _length(value: Any) -> int:
    return 1 if _is_scalar(value) else len(value)


def stacked(name: str, values: Column) -> np.ndarray[Any, Any]:
    """Return a column of numbers, or of rows of one length, as one int64, bool or float32 array."""
    try:
        array = np.stack([_array(value) for value in values])
    except ValueError:
        lengths = sorted({_length(value) for value in values})
        raise TokenError(
            f"column {name!r} has rows of different lengths ({lengths[0]} to {lengths[-1]}), and "
            "it is not known how to pad them; drop the column, or pad it before"
        ) from None
    if array.dtype.kind in "iu":
        return array.astype(np.int64)
    if array.dtype.kind == "f":
        return array.astype(np.float32)
    if array.dtype.kind == "b":
        return array
    raise TokenError(
        f"column {name!r} holds {type(values[0]).__name__} ({values[0]!r:.60}) and cannot become a "
        "tensor; drop the column (Trainer does so with remove_unused_columns=True)"
    )


def _array(value: Any) -> np.ndarray[Any, Any]:
    array = np.asarray(value.as_py() if hasattr(value, "as_py") else value)
    return np.asarray(array.tolist()) if array.dtype.kind == "O" else array
