"""What happens during training: epochs are written down, the spec is saved and compared."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

from transformers import TrainerCallback

from maskplug.checkpoint import compare
from maskplug.errors import MaskplugWarning
from maskplug.schedule import progress_at
from maskplug.spec import to_json
from maskplug_hf.checks import check_loader
from maskplug_hf.collator import DataCollatorForMasking
from maskplug_hf.feedback import OVERRIDE
from maskplug_hf.moment import Moment
from maskplug_hf.steps import stamp_steps

#: Where the spec stands in a checkpoint: ``trainer_state.json``, ``stateful_callbacks``.
RECORD = "maskplug"


class MaskingCallback(TrainerCallback):
    """Writes the epoch before its iterator is made; keeps the masking spec with each checkpoint.

    Args:
        collator: whose spec and seed are kept.
        moment: where the epoch is written.
        resume_other_spec: whether a checkpoint of another spec or seed may be resumed.
    """

    def __init__(
        self, collator: DataCollatorForMasking, moment: Moment, resume_other_spec: bool
    ) -> None:
        self.moment = moment
        self._epoch: int | None = None
        self.watch(collator, resume_other_spec)

    def watch(self, collator: DataCollatorForMasking, resume_other_spec: bool) -> None:
        """Keep this collator's spec from now on."""
        self.record = {
            "spec": collator.spec,
            "fingerprint": collator.fingerprint,
            "seed": collator.seed,
        }
        self.needs_step = collator.strategy.needs_step
        self.resume_other_spec = resume_other_spec

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Compare the checkpoint's spec with ours, before the first step, and check the data."""
        self._compare(state)
        check_loader(kwargs["train_dataloader"])
        # Trainer saves these values in every checkpoint and reads them back on resume.
        state.stateful_callbacks[RECORD] = self.record
        self._epoch = None
        if self.needs_step:
            accumulation = args.gradient_accumulation_steps
            stamp_steps(kwargs["train_dataloader"], self.moment, accumulation, state.max_steps)

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Write the epoch; Trainer makes the epoch's iterator after this."""
        # The state's epoch is a fraction: 0.5 on a resume in mid-epoch, and any number after an
        # epoch that was stopped early or whose length nobody knew. Only the first one is read.
        first = math.floor(state.epoch or 0.0)
        self._epoch = first if self._epoch is None else self._epoch + 1
        self.moment.set(self._epoch, progress_at(self._epoch, state.num_train_epochs))

    def _compare(self, state: Any) -> None:
        saved = state.stateful_callbacks.get(RECORD)
        if saved is None and state.global_step == 0:
            return  # nothing is resumed
        warning = compare(
            saved,
            self.record,
            _said,
            checkpoint=f"the checkpoint of step {state.global_step}",
            allow=self.resume_other_spec,
            override=OVERRIDE,
        )
        if warning:
            warnings.warn(warning, MaskplugWarning, stacklevel=2)


def _said(record: Mapping[str, Any]) -> str:
    spec = record["spec"]
    options = to_json(spec.get("options", {}))
    return f"strategy {spec.get('strategy')} {options} and seed {record['seed']}"
