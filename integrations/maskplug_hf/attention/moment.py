"""What time it is for a model's patterns, and the Trainer that tells it."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from transformers import TrainerCallback

from maskplug.checkpoint import compare
from maskplug.errors import MaskplugWarning
from maskplug.schedule import progress_at
from maskplug.spec import to_json

if TYPE_CHECKING:
    from maskplug_hf.attention.handle import PatternAttention

#: Where the patterns stand in a checkpoint: ``trainer_state.json``, ``stateful_callbacks``.
RECORD = "maskplug_attention"


class Time(NamedTuple):
    """Epoch and step from 0; progress from 0 to 1."""

    epoch: int = 0
    step: int = 0
    progress: float = 0.0


class TimeCallback(TrainerCallback):
    """Tells the time at the start of every optimizer step, so that a resumed run goes on exactly.

    Args:
        attention: who is told, and whose patterns are kept with each checkpoint.
        resume_other_spec: whether a checkpoint of other patterns may be resumed.
    """

    def __init__(self, attention: PatternAttention, resume_other_spec: bool) -> None:
        self.attention = attention
        self.resume_other_spec = resume_other_spec
        self._epoch: int | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Compare the checkpoint's patterns with ours."""
        self._compare(state)
        state.stateful_callbacks[RECORD] = self.attention.record
        self._epoch = None

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Count the epochs."""
        # The state's epoch is a fraction; only the first one, of a resume, is read from it.
        first = math.floor(state.epoch or 0.0)
        self._epoch = first if self._epoch is None else self._epoch + 1

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Tell the step."""
        progress = progress_at(state.global_step, state.max_steps)
        self.attention.set_time(self._epoch or 0, state.global_step, progress)

    def _compare(self, state: Any) -> None:
        saved = state.stateful_callbacks.get(RECORD)
        if saved is None and state.global_step == 0:
            return  # nothing is resumed
        warning = compare(
            saved,
            self.attention.record,
            lambda record: f"attention by {to_json(record)}",
            checkpoint=f"the checkpoint of step {state.global_step}",
            allow=self.resume_other_spec,
            override="follow(trainer, resume_other_spec=True)",
        )
        if warning:
            warnings.warn(warning, MaskplugWarning, stacklevel=2)
