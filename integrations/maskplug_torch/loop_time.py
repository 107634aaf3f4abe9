"""Epoch and step of batches whose samples do not carry them, as in a hand-written loop."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch

from maskplug import Strategy
from maskplug.errors import MaskplugWarning
from maskplug.rng import hash_words
from maskplug_torch.shared_epoch import SharedEpoch


class LoopTime:
    """The time set by ``set_epoch``; without it, a new t for each call and one warning.

    Args:
        strategy: the strategy that uses the time.
    """

    def __init__(self, strategy: Strategy) -> None:
        self.strategy = strategy
        self._shared = SharedEpoch()
        self._calls = 0
        self._warned = False
        self._warned_of_progress = False

    def set_epoch(self, epoch: int, progress: float | None) -> None:
        """Set the epoch; warn once when a schedule gets no progress."""
        self._shared.set(epoch, 0.0 if progress is None else progress)
        if progress is None and self.strategy.needs_progress and not self._warned_of_progress:
            self._warned_of_progress = True
            warnings.warn(
                "Call set_epoch(epoch, progress) with progress from 0 to 1: strategy "
                f"{self.strategy.label!r} has a schedule, which stays at its start without it",
                MaskplugWarning,
                stacklevel=3,
            )

    def now(self) -> dict[str, Any]:
        """Return the time of the next batch, as arguments of a strategy."""
        epoch, progress = self._shared.read()
        strategy = self.strategy
        if strategy.is_static or (epoch is not None and not strategy.needs_step):
            return {"epoch": epoch or 0, "progress": progress}
        if not self._warned:
            self._warned = True
            if self._shared.first_call():
                message = "; ".join([self._remedy(epoch), *self._consequences(epoch)])
                warnings.warn(message, MaskplugWarning, stacklevel=4)
        step = self._new_step()
        return {"epoch": step if epoch is None else epoch, "step": step, "progress": progress}

    def _new_step(self) -> int:
        """Return a t that no earlier call had, in this process or a worker of an earlier epoch."""
        calls = self._calls
        self._calls += 1
        worker = torch.utils.data.get_worker_info()
        if worker is None:
            return calls
        # A worker's copy counts from 0 in every epoch, but its seed differs each time.
        return int(hash_words(worker.seed, calls)[0] >> np.uint64(1))

    def _remedy(self, epoch: int | None) -> str:
        name = f"strategy {self.strategy.label!r}"
        if self.strategy.feedback_plan is not None:
            return f"Call maskplug_hf.attach(trainer): {name} follows the losses of the model"
        if self.strategy.needs_step:
            state = "neither was set" if epoch is None else "set_epoch() sets only the epoch"
            return (
                f"Call maskplug_hf.attach(trainer), or choose a clock that counts epochs: {name} "
                f"masks by step ({type(self.strategy.primary_clock).__name__}), and {state}"
            )
        return (
            "Call maskplug_hf.attach(trainer), or collator.set_epoch(epoch) before each epoch of "
            f"your own training loop: the epoch of {name} was never set"
        )

    def _consequences(self, epoch: int | None) -> list[str]:
        strategy, consequences = self.strategy, []
        if any(c.needs_step or (epoch is None and not c.is_static) for c in strategy.clocks):
            consequences.append(
                "masks change on every call, depend on batches and workers, differ after a resume "
                "and cannot be reproduced"
            )
        if epoch is None and strategy.needs_progress:
            consequences.append("its schedule stays at its start")
        if strategy.feedback_plan is not None:
            consequences.append("it masks as if all losses were equal")
        return consequences
