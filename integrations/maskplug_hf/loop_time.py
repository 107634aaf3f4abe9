"""The time of batches in a training loop that does not use :func:`maskplug_hf.attach`."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch

from maskplug import Strategy
from maskplug.errors import MaskplugWarning
from maskplug.rng import hash_words
from maskplug_hf.moment import Moment


class LoopTime:
    """What ``set_epoch`` told; without it, a new t for each call and one warning.

    Args:
        strategy: the strategy that needs the time.
    """

    def __init__(self, strategy: Strategy) -> None:
        self.strategy = strategy
        self._moment = Moment()
        self._calls = 0
        self._warned = False
        self._warned_of_progress = False

    def set_epoch(self, epoch: int, progress: float | None) -> None:
        """See ``DataCollatorForMasking.set_epoch``."""
        self._moment.set(epoch, 0.0 if progress is None else progress)
        if progress is None and self.strategy.needs_progress and not self._warned_of_progress:
            self._warned_of_progress = True
            warnings.warn(
                "Call set_epoch(epoch, progress) with progress from 0 to 1: strategy "
                f"{self.strategy.label!r} has a schedule, which stays at its start without it",
                MaskplugWarning,
                stacklevel=3,
            )

    def now(self) -> dict[str, Any]:
        """The time of the next batch, as the arguments of a strategy."""
        epoch, progress = self._moment.read()
        strategy = self.strategy
        if strategy.is_static or (epoch is not None and not strategy.needs_step):
            return {"epoch": epoch or 0, "progress": progress}
        self._warn(epoch)
        fresh = self._fresh()
        return {"epoch": fresh if epoch is None else epoch, "step": fresh, "progress": progress}

    def _fresh(self) -> int:
        """A t that no earlier call had, in this process or in a worker of an earlier epoch."""
        calls = self._calls
        self._calls += 1
        worker = torch.utils.data.get_worker_info()
        if worker is None:
            return calls
        # A worker's copy counts from 0 again in every epoch; its seed is another one each time.
        return int(hash_words(worker.seed, calls)[0] >> np.uint64(1))

    def _warn(self, epoch: int | None) -> None:
        if self._warned:
            return
        self._warned = True
        if self._moment.first_time():
            message = "; ".join([self._remedy(epoch), *self._losses(epoch)])
            warnings.warn(message, MaskplugWarning, stacklevel=5)

    def _remedy(self, epoch: int | None) -> str:
        who = f"strategy {self.strategy.label!r}"
        if self.strategy.feedback_plan is not None:
            return f"Call maskplug_hf.attach(trainer): {who} follows the model's losses"
        if self.strategy.needs_step:
            told = "neither is told" if epoch is None else "set_epoch told the epoch only"
            return (
                f"Call maskplug_hf.attach(trainer), or choose a clock that counts epochs: {who} "
                f"masks by step ({type(self.strategy.primary_clock).__name__}), and {told}"
            )
        return (
            "Call maskplug_hf.attach(trainer), or collator.set_epoch(epoch) before each epoch of a "
            f"loop of your own: {who} is not told the epoch"
        )

    def _losses(self, epoch: int | None) -> list[str]:
        """What does not hold without the time."""
        strategy, lost = self.strategy, []
        if any(c.needs_step or (epoch is None and not c.is_static) for c in strategy.clocks):
            lost.append(
                "every call draws new masks, which depend on batches and workers, differ after a "
                "resume and cannot be repeated"
            )
        if epoch is None and strategy.needs_progress:
            lost.append("its schedule stays at its start")
        if strategy.feedback_plan is not None:
            lost.append("it masks as if all losses were equal")
        return lost
