"""Adaptive strategies: track the losses that Trainer computes, and save them in checkpoints."""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from maskplug_torch.collator import CLASSES_COLUMN, MaskingCollator
from maskplug_torch.shared_epoch import SharedEpoch
from maskplug_torch.step_sampler import steps_per_epoch
from torch.nn.functional import cross_entropy
from transformers import TrainerCallback
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR, get_last_checkpoint

from maskplug.errors import MaskplugWarning, OptionError, SpecMismatchError, described
from maskplug.loss_tracking import Losses, LossTrackingConfig, Tables, sums_of
from maskplug.targets import IGNORE
from maskplug_hf.callback import OVERRIDE
from maskplug_hf.model import model_info

#: The file in a checkpoint, next to ``trainer_state.json``.
FILE = "maskplug_feedback.npz"


class LossTrackingCallback(TrainerCallback):
    """Collect the losses of each training step, and publish them round by round.

    Args:
        plan: what the strategy follows.
        classes: the number of classes.
        shared: where the epoch is read.
        resume_other_spec: whether a checkpoint without these losses may be resumed.

    Attributes:
        losses: the scores, equal on all ranks; ``losses.hardest(20)`` are the hardest classes.
        tables: the published scores, in memory shared with workers.
    """

    def __init__(
        self,
        plan: LossTrackingConfig,
        classes: int,
        shared: SharedEpoch,
        resume_other_spec: bool = False,
    ) -> None:
        cells = torch.zeros(Tables.room(classes), dtype=torch.float64)
        self.tables = Tables(cells.share_memory_(), plan.every)  # type: ignore[no-untyped-call]
        self.losses = Losses(plan, classes, self.tables)
        self.shared = shared
        self.resume_other_spec = resume_other_spec
        #: The ``resume_from_checkpoint`` of the running ``Trainer.train``.
        self.checkpoint: Any = None
        self._sums = np.zeros_like(self.losses.sums)  # of this rank, not yet added to the others
        self._device: Any = "cpu"
        self._step = self._skipped = self._steps = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start without losses, or load those of the checkpoint."""
        self._device = args.device
        self._steps = steps_per_epoch(kwargs["train_dataloader"], args.gradient_accumulation_steps)
        self._skipped = state.global_step % self._steps
        self._sums[:] = 0
        if state.global_step == 0:
            self.losses.reset()
        else:
            self._load(args, state.global_step)

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Continue at the epoch's first step, also after an epoch that was stopped early."""
        self._advance((self.shared.epoch or 0) * self._steps + self._skipped)
        self._skipped = 0

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Publish the round's losses if it ends here."""
        self._advance(self._step + 1)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Write the losses into the checkpoint."""
        self._gather()
        if not args.should_save:
            return
        folder = Path(args.output_dir) / f"{PREFIX_CHECKPOINT_DIR}-{state.global_step}"
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f".{FILE}"  # numpy appends .npz to other names
        np.savez_compressed(unfinished, **self.losses.state_dict())
        os.replace(unfinished, folder / FILE)

    def _load(self, args: Any, step: int) -> None:
        if args.ignore_data_skip:
            raise OptionError(
                "ignore_data_skip returns to the first samples of an epoch, whose masks followed "
                "losses that are lost; resume without it"
            )
        folder = self.checkpoint
        if folder is True:
            folder = get_last_checkpoint(args.output_dir)  # type: ignore[no-untyped-call]
        path = Path(folder or args.output_dir) / FILE
        try:
            self.losses.load_state_dict(_read(path, step))
        except SpecMismatchError as error:
            if not self.resume_other_spec:
                raise SpecMismatchError(
                    f"{error}. Resume another checkpoint, or start with uniform masks: {OVERRIDE}"
                ) from error
            message = f"{error}; masks are uniform at first, because resume_other_spec is set"
            warnings.warn(message, MaskplugWarning, stacklevel=2)
            self.losses.reset(step)

    def _advance(self, step: int) -> None:
        self._step = step
        if step // self.losses.plan.every > self.losses.round:
            self._gather()
        self.losses.advance_to(step)

    def _gather(self) -> None:
        """Add up the sums of all ranks; as integers, so that the result is equal on all."""
        sums = torch.from_numpy(self._sums)
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            moved = sums.to(self._device)  # a device that the backend supports
            torch.distributed.all_reduce(moved)
            sums = moved.cpu()
        self.losses.add_sums(sums.numpy())
        self._sums = np.zeros_like(self._sums)

    def add_batch(self, logits: Any, labels: Any, classes: Any, shifts: bool) -> None:
        """Add the losses of a training batch.

        ``classes`` has the shape of ``labels``; None: the labels are the classes. ``shifts`` tells
        whether the logits of a token are for the label of the next one.
        """
        classes = labels if classes is None else classes
        present = logits is not None and labels is not None
        if not (present and logits.shape[:-1] == labels.shape == classes.shape):
            raise OptionError(
                "an adaptive strategy follows the losses of a model that predicts a label for each "
                "input, and returns its 'logits'; use a masked language model, and features "
                "without labels of their own"
            )
        if shifts:
            logits, labels, classes = logits[:, :-1], labels[:, 1:], classes[:, 1:]
        kept = labels != IGNORE
        with torch.no_grad():
            losses = cross_entropy(logits[kept].float(), labels[kept], reduction="none")
        self._sums += sums_of(classes[kept].cpu(), losses.cpu(), self.losses.classes)


def _read(path: Path, step: int) -> dict[str, Any]:
    if not path.is_file():
        raise SpecMismatchError(
            f"the checkpoint of step {step} has no {FILE} ({path}): it was made without an "
            "adaptive strategy, or interrupted while it was saved"
        )
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: v.item() if v.ndim == 0 else v for name, v in file.items()}
    except Exception as error:  # zip, zlib and numpy raise many types for damaged files
        raise SpecMismatchError(f"{path} is damaged ({described(error)})") from error


class LossListener:
    """Wraps a Trainer's ``compute_loss``, and passes the outputs of training to a callback."""

    def __init__(self, compute_loss: Any, callback: LossTrackingCallback, shifts: bool) -> None:
        self.compute_loss = compute_loss
        self.callback = callback
        self.shifts = shifts

    def __call__(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Return the loss, or (loss, outputs), like ``Trainer.compute_loss``."""
        inputs = dict(inputs)
        labels, classes = inputs.get("labels"), inputs.pop(CLASSES_COLUMN, None)
        if not model.training:
            return self.compute_loss(model, inputs, return_outputs, *args, **kwargs)
        loss, outputs = self.compute_loss(model, inputs, True, *args, **kwargs)
        logits = outputs["logits"] if isinstance(outputs, Mapping) else outputs[0]
        self.callback.add_batch(logits, labels, classes, self.shifts)
        return (loss, outputs) if return_outputs else loss


def track_losses(
    trainer: Any, collator: MaskingCollator, shared: SharedEpoch, resume_other_spec: bool
) -> None:
    """Let a trainer's collator follow the losses of its model, if its strategy is adaptive."""
    plan = collator.strategy.feedback_plan
    if plan is not None:
        _check_prefetch(plan, trainer.args)
    classes = 0 if plan is None else plan.size(collator.vocabulary)
    listener = trainer.compute_loss
    if isinstance(listener, LossListener):
        callback = listener.callback
        if (callback.losses.plan, callback.losses.classes) == (plan, classes):
            collator.feedback = callback.tables
            callback.resume_other_spec = resume_other_spec
            return
        trainer.remove_callback(callback)
        trainer.compute_loss = listener.compute_loss
    collator.feedback = None
    if plan is None:
        return
    callback = LossTrackingCallback(plan, classes, shared, resume_other_spec)
    trainer.add_callback(callback)
    shifts = model_info(trainer.model).predicts_next
    trainer.compute_loss = LossListener(trainer.compute_loss, callback, shifts)
    _record_checkpoint(trainer, callback)
    collator.feedback = callback.tables


def _check_prefetch(plan: LossTrackingConfig, args: Any) -> None:
    """Refuse rounds that are shorter than what workers prefetch."""
    batches = args.dataloader_num_workers * (args.dataloader_prefetch_factor or 2)
    steps = 1 + batches // args.gradient_accumulation_steps  # accelerate prefetches one batch
    if plan.every < steps:
        raise OptionError(
            f"option 'every' is {plan.every}, and {args.dataloader_num_workers} workers load "
            f"{steps} steps ahead; masks follow the losses of the round before the last one, so "
            f"make a round at least {steps} steps long, or lower dataloader_num_workers or "
            "dataloader_prefetch_factor"
        )


def _record_checkpoint(trainer: Any, callback: LossTrackingCallback) -> None:
    """Pass the checkpoint that ``trainer.train`` resumes to a callback, as Trainer does not."""
    train = trainer.train

    @functools.wraps(train)
    def recording(resume_from_checkpoint: Any = None, *args: Any, **kwargs: Any) -> Any:
        callback.checkpoint = resume_from_checkpoint
        return train(resume_from_checkpoint, *args, **kwargs)

    trainer.train = recording
