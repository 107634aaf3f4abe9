"""Features to columns, and columns to flat arrays; nothing here is slower than it must be."""

from __future__ import annotations

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
from maskplug.ragged import flatten, plain_row
from maskplug.types import BoolArray, FloatArray, IntArray, lengths_of, offsets_of

Column = list[Any]

#: The types of tensors that are whole numbers.
_INTEGERS = {torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool}

_names = methodcaller("keys")


def columns_of(features: Sequence[Any]) -> dict[str, Column]:
    """The columns of a list of features; bare rows of ids are the column ``input_ids``.

    Raises:
        TokenError: when there are no features, no ``input_ids``, or not the same columns in each.
    """
    if not len(features):
        raise TokenError("the list of features is empty: there is nothing to collate")
    first = features[0]
    if not isinstance(first, Mapping):
        if hasattr(first, "columns"):  # of pandas, polars or Arrow
            raise TokenError(
                f"feature 0 is a table ({type(first).__name__}); give one mapping for each sample "
                "(a datasets.Dataset does so with dataset.with_format(None))"
            )
        return {"input_ids": list(features)}
    if isinstance(first, UserDict):  # whose dict answers ten times as fast, as a BatchEncoding's
        features = [row.data if isinstance(row, UserDict) else row for row in features]
        first = features[0]
    names = first.keys()
    if "input_ids" not in names:
        raise TokenError(f"features have no column 'input_ids'; they have {sorted(names)}")
    mappings = all(issubclass(kind, Mapping) for kind in set(map(type, features)))
    if not mappings or any(map(ne, map(_names, features), repeat(names))):
        raise _unlike(features)
    return {name: [feature[name] for feature in features] for name in names}


def _unlike(features: Sequence[Any]) -> TokenError:
    """Says which feature has not the columns of the first one."""
    names = sorted(features[0])
    found = (sorted(f) if isinstance(f, Mapping) else type(f).__name__ for f in features)
    i, got = next((i, got) for i, got in enumerate(found) if got != names)
    return TokenError(f"feature {i} has {got}, the first one has {names}")


@lru_cache(maxsize=8192)
def _ones(length: int) -> list[int]:
    return [1] * length


def hidden_tokens(rows: Column, offsets: IntArray) -> BoolArray | None:
    """The zeros of an attention mask: one bool a token, or None when there are none."""
    # Equality of two lists is five times as fast as reading one, and nearly always enough.
    full = map(_ones, lengths_of(offsets).tolist())
    if set(map(type, rows)) == {list} and all(map(eq, rows, full)):
        return None
    seen = layer("attention_mask", rows, offsets)
    return None if seen.all() else seen == 0


def aligned(name: str, rows: Column, offsets: IntArray) -> IntArray:
    """A column with one whole number a token: flat int64.

    Raises:
        TokenError: naming column and row when a row is not as long as its ``input_ids``.
    """
    values, own = flat(name, rows)
    if len(own) != len(offsets) or (own != offsets).any():
        _check_lengths(name, rows, offsets)
    return values


def _check_lengths(name: str, rows: Column, offsets: IntArray) -> None:
    rows = [plain_row(row) for row in rows]
    for i, (row, length) in enumerate(zip(rows, lengths_of(offsets).tolist(), strict=True)):
        if _length(row) != length:
            raise TokenError(
                f"column {name!r} has {_length(row)} values for the {length} tokens of feature {i}"
            )


def layer(name: str, rows: Column, offsets: IntArray) -> np.ndarray[Any, Any]:
    """A column with one number a token: flat int64 where all are whole, else float64.

    Raises:
        TokenError: naming column and feature when a row is not as long as its ``input_ids``, or
            holds anything but numbers.
    """
    with suppress(TokenError):
        return aligned(name, rows, offsets)
    _check_lengths(name, rows, offsets)
    return np.concatenate([_floats(name, row, i) for i, row in enumerate(rows)])


def _floats(name: str, row: Any, feature: int) -> FloatArray:
    array = np.asarray(plain_row(row))
    if array.ndim != 1 or array.dtype.kind not in "biuf":
        raise TokenError(
            f"column {name!r} of feature {feature} is {row!r:.60}; a strategy reads one number for "
            "each token"
        )
    if array.dtype.kind == "f" and np.isnan(array).any():
        where = int(np.flatnonzero(np.isnan(array))[0])
        raise TokenError(f"column {name!r} of feature {feature} is nan at token {where}")
    return array.astype(np.float64)


def flat(name: str, rows: Column) -> tuple[IntArray, IntArray]:
    """A column of rows of whole numbers: flat int64 and offsets.

    Raises:
        TokenError: naming the column when a row holds anything else.
    """
    try:
        return _of_tensors(rows) or flatten(rows)
    except TokenError as error:
        raise TokenError(f"column {name!r}: {error}") from None


def _of_tensors(rows: Column) -> tuple[IntArray, IntArray] | None:
    """Rows that are all tensors of integers, read at once; None for any others."""
    if set(map(type, rows)) != {torch.Tensor}:
        return None
    try:
        joined = torch.cat(rows)
    except RuntimeError:  # one by one they tell which of them is at fault
        return None
    if joined.ndim != 1 or joined.dtype not in _INTEGERS or joined.device.type != "cpu":
        return None
    lengths = [row.numel() for row in rows]  # of one dimension, as what they were joined to
    return joined.numpy().astype(np.int64, copy=False), offsets_of(lengths)


def word_starts(rows: Column, offsets: IntArray) -> BoolArray:
    """Where words begin, from ``word_ids``: True where the number differs from the one before.

    Special tokens, whose number is None or -1, stand alone.
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
    # A column with missing values comes as floats and NaN from the numpy format of `datasets`.
    array = np.asarray(row)
    return np.nan_to_num(array, nan=-1.0).astype(np.int64) if array.dtype.kind == "f" else array


def is_scalar(value: Any) -> bool:
    """Whether a column's value is one number rather than a row of them."""
    return not hasattr(value, "__len__") or getattr(value, "ndim", 1) == 0


def _length(value: Any) -> int:
    return 1 if is_scalar(value) else len(value)


def _array(value: Any) -> np.ndarray[Any, Any]:
    array = np.asarray(value.as_py() if hasattr(value, "as_py") else value)
    return np.asarray(array.tolist()) if array.dtype.kind == "O" else array


def stacked(name: str, values: Column) -> np.ndarray[Any, Any]:
    """A column of numbers, or of rows of one length, as one array: int64, bool or float32.

    Raises:
        TokenError: naming the column when that cannot be.
    """
    try:
        array = np.stack([_array(value) for value in values])
    except ValueError:
        lengths = sorted({_length(value) for value in values})
        raise TokenError(
            f"column {name!r} has rows of different lengths ({lengths[0]} to {lengths[-1]}), and "
            "how to pad it is not known; drop the column, or pad it before"
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
