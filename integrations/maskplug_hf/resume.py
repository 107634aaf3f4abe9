"""A Trainer callback that counts epochs, and refuses to resume a checkpoint of other settings."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

from transformers import TrainerCallback

from maskplug.checkpoint import compare
from maskplug.errors import MaskplugWarning


class ResumeCallback(TrainerCallback):
    """Save a record in each checkpoint, and compare it with that of a resumed checkpoint.

    Attributes:
        record: JSON values that must be equal at resume.
        resume_other_spec: whether another record only causes a warning.
        epoch: the epoch, counted from 0; None before the first one.
    """

    #: The name of the record in ``trainer_state.json``, under ``stateful_callbacks``.
    record_name: str
    #: How to resume a checkpoint with another record, for messages.
    override: str

    record: Mapping[str, Any]
    resume_other_spec: bool
    epoch: int | None = None

    def describe(self, record: Mapping[str, Any]) -> str:
        """Return a record in words, for messages."""
        raise NotImplementedError

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Compare the records before the first step."""
        saved = state.stateful_callbacks.get(self.record_name)
        if saved is not None or state.global_step:
            warning = compare(
                saved,
                self.record,
                self.describe,
                checkpoint=f"the checkpoint of step {state.global_step}",
                allow=self.resume_other_spec,
                override=self.override,
            )
            if warning:
                warnings.warn(warning, MaskplugWarning, stacklevel=2)
        # Trainer saves these values in every checkpoint and reads them back on resume.
        state.stateful_callbacks[self.record_name] = self.record
        self.epoch = None

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Count the epochs."""
        # The state's epoch is a fraction: 0.5 on a resume in mid-epoch, and any number after an
        # epoch that was stopped early or has an unknown length. Only the first one is used.
        self.epoch = math.floor(state.epoch or 0.0) if self.epoch is None else self.epoch + 1
