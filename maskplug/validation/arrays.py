"""Checks of what batches and selections are made of, by which kernels read memory unchecked."""

from __future__ import annotations

from typing import Any

import numpy as np

from maskplug.errors import TokenError, shortened
from maskplug.ragged import plain_row
from maskplug.types import IntArray, integers, readonly

#: Layers that are read as yes or no, where a missing value (NaN) would count as yes.
FLAGS = frozenset({"protected", "word_starts", "sentence_starts"})


def flat_integers(name: str, value: Any, error: type[TokenError] = TokenError) -> IntArray:
    """Return a flat array of integers as read-only int64.

    Args:
        name: what they are, for the message.
        value: the integers.
        error: the class of error to raise.

    Raises:
        TokenError: when it is something else, or integers do not fit into int64.

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
    """Return flat ids and row offsets: int64, read-only.

    Raises:
        TokenError: when they are no flat integers, or offsets do not rise from 0 to all ids.
    """
    ids, offsets = flat_integers("ids", ids), flat_integers("offsets", offsets)
    if (
        not len(offsets)
        or offsets[0] != 0
        or offsets[-1] != len(ids)
        or (offsets[1:] < offsets[:-1]).any()
    ):
        raise TokenError(f"offsets must rise from 0 to {len(ids)}, the number of ids")
    return ids, offsets


def check_annotation(
    name: str,
    values: Any,
    size: int,
    what: str = "layer {!r}",
    error: type[TokenError] = TokenError,
) -> np.ndarray[Any, Any]:
    """Return a layer as a read-only array with one number or bool for each token.

    Args:
        name: of the layer.
        values: its values.
        size: the number of tokens.
        what: how the message calls it.
        error: the class of error to raise.

    Raises:
        TokenError: for text, objects, arrays of another shape, integers that do not fit into int64,
            and NaN where yes or no is expected.

    Example:
        >>> checked_layer("protected", [True, False], 2)
        array([ True, False])
    """
    try:
        array = np.asarray(values)
    except Exception:  # numpy asks the object itself, which may raise anything
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
    raise error(f"{what.format(name)} {wrong}; expected one number or bool for each token")


def flat_annotation(name: str, layer: Any, lengths: list[int]) -> np.ndarray[Any, Any]:
    """Return the rows of a layer as one flat array.

    Args:
        name: of the layer.
        layer: one sequence a sample.
        lengths: of the samples.

    Raises:
        TokenError: when a row has another length than the sample's, or is no row at all.
    """
    try:
        rows = [plain_row(row) for row in layer]
        sizes = [len(row) for row in rows]
        # An empty list is one of floats, and would make floats of all the others.
        parts = [np.asarray(row) for row in rows if len(row)]
        flat = np.concatenate(parts) if parts else np.zeros(0)
        if flat.dtype.kind == "f" and parts and all(part.dtype.kind in "iu" for part in parts):
            # Numpy makes floats of int64 beside uint64.
            flat = np.concatenate([integers(part) for part in parts])
    except Exception:  # numpy asks the object itself, which may raise anything
        raise TokenError(
            f"layer {name!r} is {shortened(layer)}; expected one sequence of numbers or bools per "
            "sample"
        ) from None
    if len(sizes) != len(lengths):
        raise TokenError(f"layer {name!r} has {len(sizes)} rows for {len(lengths)} samples")
    for i, (size, length) in enumerate(zip(sizes, lengths, strict=True)):
        if size != length:
            raise TokenError(f"layer {name!r} has {size} values for the {length} tokens of row {i}")
    return flat
