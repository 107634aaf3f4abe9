"""Rows that are too long for a run: an error or a warning, by split."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from maskplug.errors import MaskplugWarning, TokenError

FLAG = "--skip-invalid-size-inputs-valid-test"


def check_too_long(
    split: str, dataset: Any, rows: int, too_long: Sequence[int], limit: Any, skip: bool
) -> None:
    """Warn of rows that are left out, or refuse them.

    Args:
        split: the name of the split, for the message.
        dataset: the rows.
        rows: how many there are.
        too_long: the numbers of those that do not fit.
        limit: the greatest size or sizes of a row.
        skip: whether fairseq leaves such rows out.

    Raises:
        TokenError: when they must not be left out, or when no row would be left.
    """
    if len(too_long) == 0:
        return
    first = too_long[0]
    size = dataset.size(first)
    size = tuple(map(int, size)) if isinstance(size, tuple) else int(size)
    said = (
        f"{split}: {len(too_long)} of {rows} rows are longer than {limit}, which is what the model "
        f"and the options allow (the first: row {first}, size {size})"
    )
    if len(too_long) == rows:
        raise TokenError(f"{said}, so that none is left; shorten the rows or raise the limit")
    if not skip:
        raise TokenError(f"{said}; shorten them, raise the limit, or leave them out with {FLAG}")
    warnings.warn(f"{said}; they are left out", MaskplugWarning, stacklevel=2)
