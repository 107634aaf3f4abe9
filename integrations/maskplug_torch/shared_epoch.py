"""The epoch and the progress of training, shared with data-loading workers."""

from __future__ import annotations

import operator
from contextlib import suppress
from typing import Any

import numpy as np
import torch

from maskplug.errors import OptionError, shortened
from maskplug.validation.options import check_argument

#: Epochs are stored as float64, which represents all integers up to this one.
MAX_EPOCH = 2**53


class SharedEpoch:
    """An epoch and the progress of training in shared memory that persistent workers also see.

    Write it only while no worker is loading, that is, between two epochs. A copy made by plain
    ``pickle`` has its own memory; worker processes, forked or spawned, share this one.

    Example:
        >>> shared = SharedEpoch()
        >>> shared.read()
        (None, 0.0)
        >>> shared.set(3, 0.5)
        >>> shared.epoch, shared.read()
        (3, (3, 0.5))
    """

    def __init__(self) -> None:
        self._cells = torch.tensor([-1.0, 0.0, 0.0], dtype=torch.float64)
        self._cells.share_memory_()  # type: ignore[no-untyped-call]

    def set(self, epoch: int, progress: float = 0.0) -> None:
        """Set the epoch, counted from 0, and the progress from 0 to 1.

        Raises:
            OptionError: when the epoch is not an integer, or either value is out of range.
        """
        with suppress(TypeError):  # what is not an integer is refused next
            epoch = epoch if isinstance(epoch, bool | np.bool_) else operator.index(epoch)
        check_argument("epoch", epoch, 0, MAX_EPOCH)
        self._cells[0], self._cells[1] = epoch, _checked_progress(progress)

    @property
    def epoch(self) -> int | None:
        """The epoch, or None before the first :meth:`set`."""
        return self.read()[0]

    def read(self) -> tuple[int | None, float]:
        """Return the epoch and the progress."""
        epoch, progress, _ = self._cells.tolist()  # much faster than reading single elements
        return int(epoch) if epoch >= 0 else None, progress

    def first_call(self) -> bool:
        """Return True once, in whichever process calls first."""
        first = not self._cells[2]
        self._cells[2] = 1.0
        return bool(first)


def _checked_progress(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = -1.0
    if isinstance(value, bool | np.bool_ | str | bytes) or not 0.0 <= number <= 1.0:
        raise OptionError(
            f"progress is {shortened(value)}; it must be a number from 0 (start of training) to 1 "
            "(end of training)"
        )
    return number
