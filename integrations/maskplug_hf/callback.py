"""The Trainer callback that sets the epoch, and saves the masking spec with each checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maskplug_torch import SharedEpoch, add_steps

from maskplug.schedule import progress_at
from maskplug.spec import to_json
from maskplug_hf.checks import check_loader
from maskplug_hf.collator import DataCollatorForMasking
from maskplug_hf.resume import ResumeCallback

#: How to resume a checkpoint with other masks.
OVERRIDE = "attach(trainer, resume_other_spec=True)"


class MaskingCallback(ResumeCallback):
    """Set the epoch before its iterator is made; save and compare the masking spec.

    Args:
        collator: its spec and seed are saved.
        shared: where the epoch is written.
        resume_other_spec: whether a checkpoint of another spec or seed may be resumed.
    """

    record_name = "maskplug"
    override = OVERRIDE

    def __init__(
        self, collator: DataCollatorForMasking, shared: SharedEpoch, resume_other_spec: bool
    ) -> None:
        self.shared = shared
        self.watch(collator, resume_other_spec)

    def watch(self, collator: DataCollatorForMasking, resume_other_spec: bool) -> None:
        """Save the spec of this collator from now on."""
        self.record = {
            "spec": collator.spec,
            "fingerprint": collator.fingerprint,
            "seed": collator.seed,
        }
        self.needs_step = collator.strategy.needs_step
        self.resume_other_spec = resume_other_spec

    def describe(self, record: Mapping[str, Any]) -> str:
        """Return a record in words, for messages."""
        spec = record["spec"]
        options = to_json(spec.get("options", {}))
        return f"strategy {spec.get('strategy')} {options} and seed {record['seed']}"

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Compare the checkpoint's spec with ours before the first step, and check the data."""
        super().on_train_begin(args, state, control, **kwargs)
        loader = kwargs["train_dataloader"]
        check_loader(loader)
        if self.needs_step:
            add_steps(loader, self.shared, args.gradient_accumulation_steps, state.max_steps)

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Set the epoch; Trainer makes the epoch's iterator after this."""
        super().on_epoch_begin(args, state, control, **kwargs)
        assert self.epoch is not None
        self.shared.set(self.epoch, progress_at(self.epoch, state.num_train_epochs))
