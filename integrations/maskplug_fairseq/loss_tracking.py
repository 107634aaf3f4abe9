"""Token losses of training steps, for adaptive strategies: recorded, summed over ranks, saved."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from fairseq.distributed.utils import get_data_parallel_group
from torch.nn.functional import cross_entropy

from maskplug import Losses, OptionError
from maskplug.errors import SpecMismatchError
from maskplug.loss_tracking import LossTrackingConfig, Tables, sums_of
from maskplug_fairseq.options import OVERRIDE
from maskplug_fairseq.step_schedule import StepSchedule

logger = logging.getLogger(__name__)


class LossTracker:
    """Record the token losses of training steps.

    Args:
        config: the strategy's ``feedback_plan``.
        classes: the number of classes, which are the symbols of the target dictionary.
        pad: the target id of tokens that are not predicted.

    Attributes:
        losses: the scores, equal on all ranks; ``losses.hardest(20)`` returns the highest ones.
        tables: the scores in memory that data-loading workers share.
    """

    def __init__(self, config: LossTrackingConfig, classes: int, pad: int) -> None:
        cells = torch.zeros(Tables.room(classes), dtype=torch.float64)
        self.tables = Tables(cells.share_memory_(), config.every)  # type: ignore[no-untyped-call]
        self.losses = Losses(config, classes, self.tables)
        self.pad = pad
        self._iterator: Any = None
        self._schedule = StepSchedule()
        self._sums = torch.zeros(2, classes, dtype=torch.int64)

    def follow(self, iterator: Any, schedule: StepSchedule) -> None:
        """Count steps by this iterator of training batches."""
        self._iterator, self._schedule = iterator, schedule
        ahead = 2 * iterator.num_workers + iterator.buffer_size  # torch prefetches 2 per worker
        steps = 2 + ahead // min(schedule.update_freq)
        if self.losses.plan.every < steps:
            raise OptionError(
                f"option 'every' is {self.losses.plan.every}, but batches are loaded up to {steps} "
                f"steps ahead (--num-workers {iterator.num_workers}, --data-buffer-size "
                f"{iterator.buffer_size}); masks follow the losses of the round before the last "
                f"one: set 'every' to at least {steps} steps, or lower these options"
            )

    @property
    def started_steps(self) -> int:
        """The number of steps whose batches training has taken; equal on all ranks."""
        epoch = self._iterator.epoch - 1
        before = self._schedule.steps_before(epoch, len(self._iterator))
        taken: int = -(-self._iterator.n // self._schedule.batches_per_step(epoch))
        return before + taken

    @contextmanager
    def record(self, model: Any, sample: Mapping[str, Any] | None) -> Iterator[None]:
        """Record the losses of a training step; ``sample`` is None for a dummy batch."""
        self.losses.advance_to(self.started_steps - 1)

        def add(model: Any, args: Any, kwargs: Any, output: Any) -> None:
            if sample is not None:
                self._add(output[0].detach(), sample["target"], kwargs.get("masked_tokens"))

        hook = model.register_forward_hook(add, with_kwargs=True)
        try:
            yield
        finally:  # a rank that runs out of memory must still take part in the reduction
            hook.remove()
            # For each batch, because fairseq asks a single rank for the state of a checkpoint.
            if torch.distributed.is_initialized():
                torch.distributed.all_reduce(self._sums, group=get_data_parallel_group())
            self.losses.add_sums(self._sums.cpu().numpy())
            self._sums = torch.zeros_like(self._sums)

    def _add(self, logits: torch.Tensor, target: torch.Tensor, masked_tokens: Any) -> None:
        target = target if masked_tokens is None else target[masked_tokens]
        size = self.losses.classes
        if logits.shape[:-1] != target.shape or logits.shape[-1] < size:
            raise OptionError(
                f"an adaptive strategy needs a model with {size} logits for each target; this "
                f"model returned {tuple(logits.shape)} for targets {tuple(target.shape)}"
            )
        kept = target != self.pad
        losses = cross_entropy(logits[kept].float(), target[kept], reduction="none")
        sums = torch.from_numpy(sums_of(target[kept].cpu(), losses.cpu(), size))
        self._sums = sums.to(logits.device)

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a checkpoint: numbers, strings and tensors."""
        return {
            name: torch.from_numpy(value) if isinstance(value, np.ndarray) else value
            for name, value in self.losses.state_dict().items()
        }

    def load_state_dict(self, state: Any, allow: bool) -> None:
        """Restore the state from a checkpoint; if it does not fit, raise or reset (``allow``)."""
        try:
            if state is None:
                raise SpecMismatchError("the checkpoint was trained without an adaptive strategy")
            if isinstance(state, Mapping):
                state = {name: _to_array(value) for name, value in state.items()}
            self.losses.load_state_dict(state)
        except SpecMismatchError as error:
            if not allow:
                raise SpecMismatchError(
                    f"{error}. Resume another checkpoint, or start with uniform masks: {OVERRIDE}"
                ) from error
            logger.warning("%s; masks are uniform at first, as requested", error)
            self.losses.reset(self.started_steps)


def _to_array(value: Any) -> Any:
    """Convert a tensor to an array, or to None if numpy has no such array; keep other values."""
    if not isinstance(value, torch.Tensor):
        return value
    try:
        return value.cpu().numpy()
    except (TypeError, RuntimeError):
        return None
