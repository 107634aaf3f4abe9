"""The losses that training computes anyway, for adaptive strategies: heard, summed up, saved."""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from transformers import TrainerCallback
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR, get_last_checkpoint

from maskplug.errors import MaskplugWarning, OptionError, SpecMismatchError, described
from maskplug.loss_tracking import Losses, LossTrackingConfig, Tables, sums_of
from maskplug.selectors.adaptive import CLASSES
from maskplug.targets import IGNORE
from maskplug.types import FloatArray
from maskplug.vocabulary import Vocabulary
from maskplug_hf.model import ModelFacts
from maskplug_hf.moment import Moment
from maskplug_hf.outputs import Arrays, Outputs
from maskplug_hf.steps import steps_per_epoch

#: What a checkpoint holds the losses in, beside ``trainer_state.json``.
FILE = "maskplug_feedback.npz"
#: How a user resumes a checkpoint of other masks.
OVERRIDE = "attach(trainer, resume_other_spec=True)"
#: The column that brings the class of each token to the losses; no model sees it.
COLUMN = "maskplug_classes"


class SharedTables:
    """The published scores, in memory that data-loading workers share; what a collator reads.

    A copy by plain ``pickle`` has a memory of its own; worker processes share this one.
    """

    def __init__(self, plan: LossTrackingConfig, classes: int) -> None:
        self.plan = plan
        cells = torch.zeros(Tables.room(classes), dtype=torch.float64)
        self._cells = cells.share_memory_()  # type: ignore[no-untyped-call]

    @property
    def tables(self) -> Tables:
        """The tables on this memory, in whichever process asks."""
        return Tables(self._cells.numpy(), self.plan.every)

    def at(self, step: int) -> FloatArray:
        """The score of each class for masks of this step; see ``loss_tracking.Tables.at``."""
        return self.tables.at(step)

    def columns(self, out: Outputs) -> Arrays:
        """What a batch needs so that its losses can be told apart: the class of each input."""
        if self.plan.by == "token":
            return {}
        tokens = out.shown.given.tokens.rewritten(out.masked.inputs)
        classes = out.shown.rows(tokens.annotations[CLASSES].astype(np.int64), fill=-1)
        return {COLUMN: out.pad(classes, -1, out.width)}


class FeedbackCallback(TrainerCallback):
    """Hears the losses of each training step, and publishes them round by round.

    Args:
        plan: what the strategy follows.
        vocab: of its tokens.
        moment: where the epoch is read.
        resume_other_spec: whether a checkpoint without these losses may be resumed.

    Attributes:
        losses: the scores, equal on all ranks; ``losses.hardest(20)`` names what is hard now.
        shared: what the collator reads.
    """

    def __init__(
        self,
        plan: LossTrackingConfig,
        vocab: Vocabulary,
        moment: Moment,
        resume_other_spec: bool = False,
    ) -> None:
        size = plan.size(vocab)
        self.shared = SharedTables(plan, size)
        self.losses = Losses(plan, size, self.shared.tables)
        self.moment = moment
        self.resume_other_spec = resume_other_spec
        #: The ``resume_from_checkpoint`` of the running ``Trainer.train``.
        self.checkpoint: Any = None
        self._heard = np.zeros_like(self.losses.sums)  # by this rank, and no other yet
        self._device: Any = "cpu"
        self._step = self._skipped = self._steps = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start from nothing, or from the checkpoint."""
        self._device = args.device
        self._steps = steps_per_epoch(kwargs["train_dataloader"], args.gradient_accumulation_steps)
        self._skipped = state.global_step % self._steps
        self._heard[:] = 0
        if state.global_step == 0:
            self.losses.reset()
        else:
            self._load(args, state.global_step)

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Count on from the epoch's first step, also where the last one was stopped early."""
        self._reach((self.moment.epoch or 0) * self._steps + self._skipped)
        self._skipped = 0

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Close the round, if it ends here."""
        self._reach(self._step + 1)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Write the losses into the checkpoint."""
        self._gather()
        if not args.should_save:
            return
        folder = Path(args.output_dir) / f"{PREFIX_CHECKPOINT_DIR}-{state.global_step}"
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f".{FILE}"  # numpy adds .npz to other names
        np.savez_compressed(unfinished, **self.losses.state_dict())
        os.replace(unfinished, folder / FILE)

    def _load(self, args: Any, step: int) -> None:
        if args.ignore_data_skip:
            raise OptionError(
                "ignore_data_skip goes back to the first samples of an epoch, whose masks followed "
                "losses that are gone; resume without it"
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
                    f"{error}. Resume another checkpoint, or begin with uniform masks: {OVERRIDE}"
                ) from error
            message = f"{error}; masks are uniform at first, as told"
            warnings.warn(message, MaskplugWarning, stacklevel=2)
            self.losses.reset(step)

    def _reach(self, step: int) -> None:
        self._step = step
        if step // self.losses.plan.every > self.losses.round:
            self._gather()
        self.losses.advance_to(step)

    def _gather(self) -> None:
        """Add up what all ranks heard; whole numbers, so that all have the same."""
        sums = torch.from_numpy(self._heard)
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            moved = sums.to(self._device)  # where the backend can reach it
            torch.distributed.all_reduce(moved)
            sums = moved.cpu()
        self.losses.add_sums(sums.numpy())
        self._heard = np.zeros_like(self._heard)

    def hear(self, logits: Any, labels: Any, classes: Any, shifts: bool) -> None:
        """Take in the losses of a training batch.

        Args:
            logits: float, one more dimension than labels.
            labels: int64, -100 where nothing is predicted.
            classes: int64, of the shape of labels; None where labels are the classes.
            shifts: whether the logits of a token are for the label of the next one.

        Raises:
            OptionError: when they do not fit together.
        """
        classes = labels if classes is None else classes
        if (
            logits is None
            or labels is None
            or not logits.shape[:-1] == labels.shape == classes.shape
        ):
            raise OptionError(
                "an adaptive strategy follows the losses of a model that predicts a label for each "
                "input, and returns its 'logits'; give it a model with a head for masked tokens, "
                "and features without labels of their own"
            )
        if shifts:
            logits, labels, classes = logits[:, :-1], labels[:, 1:], classes[:, 1:]
        kept = labels != IGNORE
        with torch.no_grad():
            losses = cross_entropy(logits[kept].float(), labels[kept], reduction="none")
        self._heard += sums_of(classes[kept].cpu(), losses.cpu(), self.losses.classes)


def _read(path: Path, step: int) -> dict[str, Any]:
    if not path.is_file():
        raise SpecMismatchError(
            f"the checkpoint of step {step} has no {FILE} ({path}): it was made without an "
            "adaptive strategy, or cut off while it was saved"
        )
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: v.item() if v.ndim == 0 else v for name, v in file.items()}
    except Exception as error:  # zip, zlib and numpy raise a dozen kinds for damaged files
        reason = described(error)
        raise SpecMismatchError(f"{path} is damaged ({reason})") from error


class HeardLoss:
    """Takes the place of a Trainer's ``compute_loss``: in training, its outputs are listened to.

    Args:
        others: the ``compute_loss`` until now; it computes the loss as ever.
        callback: what hears.
        shifts: see :meth:`FeedbackCallback.hear`.
    """

    def __init__(self, others: Any, callback: FeedbackCallback, shifts: bool) -> None:
        self.others = others
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
        """The loss, or (loss, outputs), as ``Trainer.compute_loss`` gives it."""
        given = dict(inputs)
        labels, classes = given.get("labels"), given.pop(COLUMN, None)
        if not model.training:
            return self.others(model, given, return_outputs, *args, **kwargs)
        loss, outputs = self.others(model, given, True, *args, **kwargs)
        logits = outputs["logits"] if isinstance(outputs, Mapping) else outputs[0]
        self.callback.hear(logits, labels, classes, self.shifts)
        return (loss, outputs) if return_outputs else loss


def follow(trainer: Any, collator: Any, moment: Moment, resume_other_spec: bool) -> None:
    """Let a trainer's collator follow the losses of its model, if its strategy wants that.

    Args:
        trainer: whose training is heard; it gets a :class:`FeedbackCallback`, unless it has one.
        collator: whose ``feedback`` is set.
        moment: where the epoch is read.
        resume_other_spec: whether a checkpoint without these losses may be resumed.

    Raises:
        OptionError: when workers may load more than a round ahead.
    """
    plan = collator.strategy.feedback_plan
    if plan is not None:
        _check_ahead(plan, trainer.args)
    heard = trainer.compute_loss
    if isinstance(heard, HeardLoss):
        own = heard.callback.losses
        if plan is not None and (own.plan, own.classes) == (plan, plan.size(collator.vocabulary)):
            collator.feedback = heard.callback.shared
            heard.callback.resume_other_spec = resume_other_spec
            return
        trainer.remove_callback(heard.callback)
        trainer.compute_loss = heard.others
    collator.feedback = None
    if plan is None:
        return
    callback = FeedbackCallback(plan, collator.vocabulary, moment, resume_other_spec)
    trainer.add_callback(callback)
    shifts = ModelFacts.of(trainer.model).shifts
    trainer.compute_loss = HeardLoss(trainer.compute_loss, callback, shifts)
    _tell_checkpoint(trainer, callback)
    collator.feedback = callback.shared


def _check_ahead(plan: LossTrackingConfig, args: Any) -> None:
    """Refuse rounds that are shorter than the way that batches are made ahead of training."""
    batches = args.dataloader_num_workers * (args.dataloader_prefetch_factor or 2)
    steps = 1 + batches // args.gradient_accumulation_steps  # accelerate is one batch ahead itself
    if plan.every < steps:
        raise OptionError(
            f"option 'every' is {plan.every}, and {args.dataloader_num_workers} workers load "
            f"{steps} steps ahead; masks follow the losses of the round before the last one, so "
            f"give a round at least {steps} steps, or lower dataloader_num_workers or "
            "dataloader_prefetch_factor"
        )


def _tell_checkpoint(trainer: Any, callback: FeedbackCallback) -> None:
    """Note which checkpoint ``trainer.train`` resumes: no callback is told."""
    train = trainer.train

    @functools.wraps(train)
    def telling(resume_from_checkpoint: Any = None, *args: Any, **kwargs: Any) -> Any:
        callback.checkpoint = resume_from_checkpoint
        return train(resume_from_checkpoint, *args, **kwargs)

    trainer.train = telling
