"""Compare the requested attention mask with the one that a model received."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from maskplug.arrays import BoolArray, IntArray
from maskplug.errors import OptionError


@dataclass(frozen=True, eq=False)
class Difference:
    """The cells in which two masks differ; false if there are none.

    Attributes:
        leaks: int64 of shape (cells, 4), sorted: sample, head, query and key of each visible cell
            that was not requested.
        lost: the same for each requested cell that is not visible.
    """

    leaks: IntArray
    lost: IntArray

    def __bool__(self) -> bool:
        return bool(len(self.leaks) or len(self.lost))

    def __str__(self) -> str:
        lines = []
        for cells, problem in (
            (self.leaks, "visible but not requested"),
            (self.lost, "requested but not visible"),
        ):
            if len(cells):
                sample, head, query, key = cells[0]
                lines.append(
                    f"{len(cells)} cell{'s' * (len(cells) > 1)} {problem}; first: sample {sample}, "
                    f"head {head}, query {query}, key {key}"
                )
        return "\n".join(lines) or "the received mask is the requested one"


def compare(asked: Any, got: Any, valid: Any = None) -> Difference:
    """Compare the mask that was requested with the one that a model received.

    Args:
        asked: bool, True = may attend; of shape (q_len, kv_len), or with heads and samples before.
        got: the same, such as ``Received.mask``; an axis of length 1 is broadcast.
        valid: 1 for each query that is a real token, of shape (samples, q_len); the others are
            ignored, as the output of padding is not used.

    Raises:
        OptionError: when the shapes do not match, or a mask is not bool.

    Example:
        >>> causal = np.tri(3, dtype=bool)
        >>> print(compare(causal, np.ones((3, 3), bool)))
        3 cells visible but not requested; first: sample 0, head 0, query 0, key 1
        >>> print(compare(causal, causal))
        the received mask is the requested one
    """
    requested, received = _four_axes("asked", asked), _four_axes("got", got)
    rows = np.not_equal(np.ones(1) if valid is None else valid, 0)[..., None, :, None]
    try:
        if requested.shape[2:] != received.shape[2:] or rows.shape[-2] not in (
            1,
            requested.shape[2],
        ):
            raise ValueError
        leaks, lost = (
            np.argwhere(cells & rows) for cells in (received & ~requested, requested & ~received)
        )
    except ValueError:  # from numpy, for samples and heads
        of_valid = "" if valid is None else f", valid {np.shape(valid)}"
        raise OptionError(
            f"shapes do not match: requested mask {np.shape(asked)}, received mask "
            f"{np.shape(got)}{of_valid}"
        ) from None
    return Difference(leaks, lost)


def _four_axes(name: str, mask: Any) -> BoolArray:
    array = np.asarray(mask)
    if array.dtype != np.bool_ or not 2 <= array.ndim <= 4:
        raise OptionError(
            f"{name!r} is {array.dtype} with {array.ndim} dimensions; masks are bool with 2 to 4 "
            "dimensions (samples, heads, q_len, kv_len)"
        )
    return array[(None,) * (4 - array.ndim)]
