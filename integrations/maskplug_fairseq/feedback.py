"""The losses that training computes anyway, for adaptive strategies: heard, summed up, saved."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from fairseq.distributed.utils import get_data_parallel_group
from torch.nn.functional import cross_entropy

from maskplug import Losses, OptionError, Strategy
from maskplug.errors import SpecMismatchError
from maskplug.loss_tracking import LossTrackingConfig, Tables, sums_of
from maskplug.types import FloatArray
from maskplug_fairseq.checkpoint import OVERRIDE
from maskplug_fairseq.epoch import Calendar

logger = logging.getLogger(__name__)

#: Where the losses stand in what a checkpoint remembers of the masks.
STATE = "feedback"


class SharedTables:
    """The published scores, in memory that data-loading workers share; what a dataset reads."""

    def __init__(self, plan: LossTrackingConfig, classes: int) -> None:
        self.every = plan.every
        cells = torch.zeros(Tables.room(classes), dtype=torch.float64)
        self._cells = cells.share_memory_()  # type: ignore[no-untyped-call]

    @property
    def tables(self) -> Tables:
        """The tables on this memory, in whichever process asks."""
        return Tables(self._cells.numpy(), self.every)

    def at(self, step: int) -> FloatArray:
        """The score of each class for masks of this step; see ``loss_tracking.Tables.at``."""
        return self.tables.at(step)


class Heard:
    """What a task hears of its model's losses.

    Args:
        plan: what the strategy follows.
        classes: their number, that of the target dictionary's symbols.
        pad: the id of targets that are none.

    Attributes:
        losses: the scores, equal on all ranks; ``losses.hardest(20)`` names what is hard now.
        shared: what the dataset reads.
    """

    def __init__(self, plan: LossTrackingConfig, classes: int, pad: int) -> None:
        self.shared = SharedTables(plan, classes)
        self.losses = Losses(plan, classes, self.shared.tables)
        self.pad = pad
        self._iterator: Any = None
        self._calendar = Calendar()
        self._sums = torch.zeros(2, classes, dtype=torch.int64)

    def follow(self, iterator: Any, calendar: Calendar) -> None:
        """Tell the time by this iterator of training batches.

        Raises:
            OptionError: when batches may be made more than a round ahead.
        """
        self._iterator, self._calendar = iterator, calendar
        ahead = 2 * iterator.num_workers + iterator.buffer_size  # torch's workers are two ahead
        steps = 2 + ahead // min(calendar.update_freq)
        if self.losses.plan.every < steps:
            raise OptionError(
                f"option 'every' is {self.losses.plan.every}, and batches are made up to {steps} "
                f"steps ahead (--num-workers {iterator.num_workers}, --data-buffer-size "
                f"{iterator.buffer_size}); masks follow the losses of the round before the last "
                f"one, so give a round at least {steps} steps, or lower these"
            )

    @property
    def begun(self) -> int:
        """The number of steps whose batches training has taken, on all ranks alike."""
        epoch, batches = self._iterator.epoch - 1, len(self._iterator)
        before = sum(self._calendar.steps(e, batches) for e in range(epoch))
        taken: int = self._iterator.n
        return before + math.ceil(taken / self._calendar.frequency(epoch))

    @contextmanager
    def step(self, model: Any, sample: Mapping[str, Any] | None) -> Iterator[None]:
        """Around a training step of one batch: rounds that ended are closed, its losses are heard.

        Args:
            model: whatever the criterion calls.
            sample: the batch; None for one that stands in where a rank has none.
        """
        self.losses.advance_to(self.begun - 1)

        def hear(model: Any, args: Any, kwargs: Any, output: Any) -> None:
            if sample is not None:
                self._hear(output[0].detach(), sample["target"], kwargs.get("masked_tokens"))

        hook = model.register_forward_hook(hear, with_kwargs=True)
        try:
            yield
        finally:  # a rank that ran out of memory must not leave the others waiting
            hook.remove()
            self._gather()

    def _hear(self, logits: torch.Tensor, target: torch.Tensor, chosen: Any) -> None:
        target = target if chosen is None else target[chosen]
        size = self.losses.classes
        if logits.shape[:-1] != target.shape or logits.shape[-1] < size:
            raise OptionError(
                f"an adaptive strategy follows a model with {size} logits for each target; this "
                f"one returns {tuple(logits.shape)} for targets {tuple(target.shape)}"
            )
        kept = target != self.pad
        losses = cross_entropy(logits[kept].float(), target[kept], reduction="none")
        self._sums = torch.from_numpy(sums_of(target[kept].cpu(), losses.cpu(), size)).to(
            logits.device
        )

    def _gather(self) -> None:
        # At each batch: when fairseq saves a checkpoint, it asks one rank alone.
        if torch.distributed.is_initialized():
            torch.distributed.all_reduce(self._sums, group=get_data_parallel_group())
        self.losses.add_sums(self._sums.cpu().numpy())
        self._sums = torch.zeros_like(self._sums)

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint: numbers, text and tensors."""
        return {
            name: torch.from_numpy(value) if isinstance(value, np.ndarray) else value
            for name, value in self.losses.state_dict().items()
        }

    def load_state_dict(self, state: Any, allow: bool) -> None:
        """Go on from a checkpoint.

        Args:
            state: what the checkpoint holds, of any type; None where it holds nothing.
            allow: whether masks may be uniform at first where it does not fit.

        Raises:
            SpecMismatchError: where it does not fit, and that is not allowed.
        """
        try:
            if state is None:
                raise SpecMismatchError("the checkpoint's masks followed no losses")
            if isinstance(state, Mapping):
                state = {name: _array(value) for name, value in state.items()}
            self.losses.load_state_dict(state)
        except SpecMismatchError as error:
            if not allow:
                raise SpecMismatchError(
                    f"{error}. Resume another checkpoint, or begin with uniform masks: {OVERRIDE}"
                ) from error
            logger.warning("%s; masks are uniform at first, as told", error)
            self.losses.reset(self.begun)


def _array(value: Any) -> Any:
    """A saved tensor as an array, None where numpy has no such array; other values as they are."""
    if not isinstance(value, torch.Tensor):
        return value
    try:
        return value.cpu().numpy()
    except (TypeError, RuntimeError):
        return None


class HearsLosses:
    """What a task needs to let its masks follow the losses; mixed into ``MaskingTask``."""

    heard: Heard | None = None

    def make_heard(self, strategy: Strategy, classes: int, pad: int, why_not: str) -> None:
        """Get ready to hear, if the strategy wants that.

        Args:
            strategy: the task's.
            classes: the number of symbols that its model predicts.
            pad: the id of targets that are none.
            why_not: why the losses of this task tell nothing of what is masked; empty: they do.

        Raises:
            OptionError: when they do not.
        """
        plan = strategy.feedback_plan
        if plan is None:
            return
        if why_not:
            raise OptionError(
                f"strategy {strategy.label!r} follows the model's losses, and {why_not}"
            )
        self.heard = Heard(plan, classes, pad)

    def train_step(self, sample: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        """As fairseq's; the losses that the criterion computes are listened to."""
        step = super().train_step  # type: ignore[misc]
        if self.heard is None:
            return step(sample, model, *args, **kwargs)
        real = None if kwargs.get("ignore_grad") else sample
        with self.heard.step(model, real):
            return step(sample, model, *args, **kwargs)
