"""Two masks, one asked for and one received: what leaks, and what is lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from maskplug.errors import OptionError
from maskplug.types import BoolArray, IntArray


@dataclass(frozen=True, eq=False)
class Difference:
    """Where two masks differ; false when they do not.

    Attributes:
        leaks: int64 of shape (cells, 4), sorted: sample, head, query and key of each cell that was
            seen, but not asked for.
        lost: the same of each that was asked for, but not seen.
    """

    leaks: IntArray
    lost: IntArray

    def __bool__(self) -> bool:
        return bool(len(self.leaks) or len(self.lost))

    def __str__(self) -> str:
        leaks = _said("seen, but not asked for", self.leaks)
        lost = _said("asked for, but not seen", self.lost)
        return "\n".join([*leaks, *lost]) or "the mask is the one that was asked for"


def compare(asked: Any, got: Any, valid: Any = None) -> Difference:
    """Compare the mask that was asked for with the one that a model received.

    Args:
        asked: bool, True = may attend; (queries, keys), or with heads and samples before them.
        got: the same, such as ``Received.mask``; an axis of 1 stands for all samples or heads.
        valid: 1 for each query that is a real token, (samples, queries); the others are left out,
            because nobody reads what padding sees.

    Raises:
        OptionError: when the shapes do not fit together, or a mask is not bool.

    Example:
        >>> causal = np.tri(3, dtype=bool)
        >>> print(compare(causal, np.ones((3, 3), bool)))
        3 cells seen, but not asked for; the first: sample 0, head 0, query 0, key 1
        >>> print(compare(causal, causal))
        the mask is the one that was asked for
    """
    one, other = _four("asked", asked), _four("got", got)
    rows = np.not_equal(np.ones(1) if valid is None else valid, 0)[..., None, :, None]
    try:
        if one.shape[2:] != other.shape[2:] or rows.shape[-2] not in (1, one.shape[2]):
            raise ValueError
        leaks, lost = (np.argwhere(cells & rows) for cells in (other & ~one, one & ~other))
    except ValueError:  # of numpy, for samples and heads
        of_valid = "" if valid is None else f", valid of {np.shape(valid)}"
        raise OptionError(
            f"the mask asked for has the shape {np.shape(asked)}, the one received {np.shape(got)}"
            f"{of_valid}: they do not fit together"
        ) from None
    return Difference(leaks, lost)


def _four(name: str, mask: Any) -> BoolArray:
    """A mask with all four axes."""
    array = np.asarray(mask)
    if array.dtype != np.bool_ or not 2 <= array.ndim <= 4:
        raise OptionError(
            f"{name!r} is {array.ndim}-dimensional {array.dtype}; masks are bool, of 2 to 4 "
            "dimensions (samples, heads, queries, keys)"
        )
    return array[(None,) * (4 - array.ndim)]


def _said(what: str, cells: IntArray) -> list[str]:
    if not len(cells):
        return []
    sample, head, query, key = cells[0]
    first = f"sample {sample}, head {head}, query {query}, key {key}"
    return [f"{len(cells)} cell{'s' * (len(cells) > 1)} {what}; the first: {first}"]
