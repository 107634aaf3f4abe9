"""Checks of the arrays of batches and selections; kernels index them unchecked."""

from __future__ import annotations

from typing import Any

import numpy as np

from maskplug.errors import TokenError, shortened
from maskplug.ragged import plain_row
from maskplug.types import IntArray, integers, readonly

#: Boolean annotations: NaN, which would count as True, is refused.
FLAGS = frozenset({"protected", "word_starts", "sentence_starts"})


def flat_integers(name: str, value: Any, error: type[TokenError] = TokenError) -> IntArray:
    """Return a flat array of integers as read-only int64; raise ``error`` for anything else.

    Example:
        >>> flat_integers("ids", [5, 6]).tolist()
        [5, 6]
    """
    if type(value) is np.ndarray and value.dtype.type is np.int64 and value.ndim == 1:
        return readonly(value, np.int64)
    array = integers(value)
    if array is None or array.ndim != 1:
        known = isinstance(value, np.ndarray)
        what = f"{value.ndim}-dimensional {value.dtype}" if known else shortened(value)
        raise error(f"{name} are {what}; they must be a flat array of integers that fit into int64")
    return readonly(array, np.int64)


def checked_rows(ids: Any, offsets: Any) -> tuple[IntArray, IntArray]:
    """Return flat ids and row offsets, read-only int64; raise a TokenError if they do not match."""
    ids, offsets = flat_integers("ids", ids), flat_integers("offsets", offsets)
    if (
        not len(offsets)
        or offsets[0] != 0
        or offsets[-1] != len(ids)
        or (offsets[1:] < offsets[:-1]).any()
    ):
        raise TokenError(f"offsets must increase from 0 to {len(ids)}, the number of ids")
    return ids, offsets


def check_annotation(
    name: str,
    values: Any,
    size: int,
    what: str = "annotation {!r}",
    error: type[TokenError] = TokenError,
) -> np.ndarray[Any, Any]:
    """Return an annotation as a read-only array with one number or bool per token.

    Args:
        size: number of tokens.
        what: format of the name in messages.
        error: exception class.

    Raises:
        TokenError: for text, objects, other shapes, integers that do not fit into int64, and NaN in
            boolean annotations.

    Example:
        >>> check_annotation("protected", [True, False], 2)
        array([ True, False])
    """
    try:
        array = np.asarray(values)
    except Exception:  # numpy calls methods of the object, which may raise anything
        array = np.zeros((0, 0))
    wrong = None
    if array.ndim != 1:
        wrong = f"is {shortened(values)}"
    elif len(array) != size:
        wrong = f"has {len(array)} values for {size} tokens"
    elif array.dtype.kind not in "biuf" and size:
        wrong = f"has values of type {array.dtype}, such as {shortened(array[0])}"
    elif array.dtype.kind == "u" and integers(array) is None:
        wrong = f"has the value {array.max()}, which does not fit into int64"
    elif name in FLAGS and array.dtype.kind == "f" and np.isnan(array).any():
        wrong = "has NaN among its values"
    if wrong is None:
        return readonly(array, array.dtype.type)
    raise error(f"{what.format(name)} {wrong}; expected one number or bool per token")


def flat_annotation(name: str, rows_of_values: Any, lengths: list[int]) -> np.ndarray[Any, Any]:
    """Return the rows of an annotation as one flat array.

    Raises:
        TokenError: when a row is not a sequence of the length of its sample.
    """
    try:
        rows = [plain_row(row) for row in rows_of_values]
        sizes = [len(row) for row in rows]
        # Empty lists become float arrays and would convert all others to float.
        parts = [np.asarray(row) for row in rows if len(row)]
        flat = np.concatenate(parts) if parts else np.zeros(0)
        if flat.dtype.kind == "f" and parts and all(part.dtype.kind in "iu" for part in parts):
            # numpy converts int64 and uint64 to float64.
            flat = np.concatenate([integers(part) for part in parts])
    except Exception:  # numpy calls methods of the object, which may raise anything
        raise TokenError(
            f"annotation {name!r} is {shortened(rows_of_values)}; expected one "
            "sequence of numbers or bools per sample"
        ) from None
    if len(sizes) != len(lengths):
        raise TokenError(f"annotation {name!r} has {len(sizes)} rows for {len(lengths)} samples")
    for i, (size, length) in enumerate(zip(sizes, lengths, strict=True)):
        if size != length:
            raise TokenError(
                f"annotation {name!r} has {size} values for the {length} tokens of row {i}"
            )
    return flat
