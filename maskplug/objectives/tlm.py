"""Pairs of translations in one row, for translation language modelling."""

from __future__ import annotations

from typing import Any

import numpy as np

from maskplug.errors import TokenError
from maskplug.rng import hash_words
from maskplug.tokens import TokenBatch
from maskplug.types import IntArray, offsets_of


def concatenate(
    first: TokenBatch, second: TokenBatch, languages: tuple[int, int] = (0, 1)
) -> TokenBatch:
    """Row i of the first batch and then row i of the second, with the layer ``languages``.

    Args:
        first, second: two batches with as many rows and the same layers; each row comes with its
            own special tokens.
        languages: the number of the language of each.

    Returns:
        A batch for the strategy ``tlm``. A row's key is that of the two, where they are the same,
        and a hash of both otherwise.

    Raises:
        TokenError: when the batches do not fit together.

    Example:
        >>> english = TokenBatch.from_lists([[2, 10, 11, 2]], keys=["pair-1"])
        >>> french = TokenBatch.from_lists([[2, 20, 21, 22, 2]], keys=["pair-1"])
        >>> both = concatenate(english, french)
        >>> both.ids.tolist(), both.annotations["languages"].tolist()
        ([2, 10, 11, 2, 2, 20, 21, 22, 2], [0, 0, 0, 0, 1, 1, 1, 1, 1])
    """
    if len(first) != len(second):
        raise TokenError(f"{len(first)} rows cannot be joined to {len(second)} rows: one each")
    if set(first.annotations) != set(second.annotations):
        odd = ", ".join(map(repr, sorted(set(first.annotations) ^ set(second.annotations))))
        raise TokenError(f"only one of the two batches has the layers {odd}; give both of them all")
    offsets = offsets_of(first.lengths + second.lengths)
    order = _order(first, second, offsets)

    def joined(a: Any, b: Any) -> np.ndarray[Any, Any]:
        made: np.ndarray[Any, Any] = np.concatenate((a, b))[order]
        return made

    annotations = {
        name: joined(layer, second.annotations[name]) for name, layer in first.annotations.items()
    }
    annotations["languages"] = np.repeat(languages, (len(first.ids), len(second.ids)))[order]
    keys = np.where(first.keys == second.keys, first.keys, hash_words(first.keys, second.keys))
    return TokenBatch(joined(first.ids, second.ids), offsets, keys, annotations)


def _order(first: TokenBatch, second: TokenBatch, offsets: IntArray) -> IntArray:
    """Where each token of the joined rows stands in the ids of the first and then the second."""
    order: IntArray = np.empty(offsets[-1], np.int64)
    shifts = np.repeat(offsets[:-1] - first.offsets[:-1], first.lengths)
    order[np.arange(len(first.ids)) + shifts] = np.arange(len(first.ids))
    shifts = np.repeat(offsets[1:] - second.offsets[1:], second.lengths)
    order[np.arange(len(second.ids)) + shifts] = np.arange(len(second.ids)) + len(first.ids)
    return order
