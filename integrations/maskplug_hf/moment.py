"""The time that data-loading workers share with the main process."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import torch

from maskplug.errors import OptionError, shortened

#: Epochs are kept as float64, which holds whole numbers up to here.
MOST_EPOCHS = 2**53


class Moment:
    """An epoch and the progress of training in shared memory, which persistent workers see too.

    Write it only while no worker is loading: between two epochs. A copy by plain ``pickle`` has a
    memory of its own; worker processes, forked or spawned, share this one.

    Example:
        >>> moment = Moment()
        >>> moment.epoch is None
        True
        >>> moment.set(3, 0.5)
        >>> moment.epoch, moment.progress
        (3, 0.5)
    """

    def __init__(self) -> None:
        self._cells = torch.tensor([-1.0, 0.0, 0.0], dtype=torch.float64)
        self._cells.share_memory_()  # type: ignore[no-untyped-call]

    def set(self, epoch: int, progress: float = 0.0) -> None:
        """Set the epoch, counted from 0, and the progress from 0 to 1.

        Raises:
            OptionError: when the epoch is no whole number, or one of them is out of range.
        """
        epoch, progress = _epoch(epoch), _progress(progress)
        self._cells[0] = epoch
        self._cells[1] = progress

    @property
    def epoch(self) -> int | None:
        """The epoch, or None before the first :meth:`set`."""
        return self.read()[0]

    @property
    def progress(self) -> float:
        """From 0 to 1."""
        return self.read()[1]

    def read(self) -> tuple[int | None, float]:
        """Epoch and progress at once."""
        epoch, progress, _ = self._cells.tolist()  # far cheaper than one element after the other
        return int(epoch) if epoch >= 0 else None, progress

    def first_time(self) -> bool:
        """True once, in whichever process asks first."""
        first = not self._cells[2]
        self._cells[2] = 1.0
        return bool(first)


def _epoch(value: Any) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = -1
    if isinstance(value, bool | np.bool_) or not 0 <= number <= MOST_EPOCHS:
        raise OptionError(f"epoch is {shortened(value)}; epochs are whole numbers from 0 to 2**53")
    return number


def _progress(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = -1.0
    if isinstance(value, bool | np.bool_ | str | bytes) or not 0.0 <= number <= 1.0:
        raise OptionError(
            f"progress is {shortened(value)}; it is a number from 0 (start of training) to 1 (its "
            "end)"
        )
    return number
