"""attach(trainer): reproducible masks across epochs, ranks, workers and resumes in one call."""

from __future__ import annotations

import warnings
from typing import Any

import maskplug_torch
from maskplug_torch import SharedEpoch
from maskplug_torch.datasets import SAMPLE_ID
from maskplug_torch.features import ANNOTATIONS
from torch.utils.data import IterableDataset
from transformers import BatchEncoding

from maskplug.errors import MaskplugWarning, OptionError
from maskplug_hf.callback import MaskingCallback
from maskplug_hf.checks import check_dataset, check_trainer, explain_loader_errors
from maskplug_hf.collator import DataCollatorForMasking
from maskplug_hf.loss import WeightedLoss, trainer_loss
from maskplug_hf.loss_tracking import LossListener, track_losses
from maskplug_hf.model import arguments

#: Columns that the collator reads and no model takes.
COLLATOR_COLUMNS = frozenset({SAMPLE_ID, "special_tokens_mask", "word_ids", *ANNOTATIONS})


class EncodedSample(maskplug_torch.Sample, BatchEncoding):
    """A sample that Trainer does not rebuild.

    Trainer's filter of columns rebuilds every ``dict``, and would lose key and time, but not other
    mappings. Its sampler by length needs a ``dict`` or a ``BatchEncoding``.
    """


class KeyedDataset(maskplug_torch.KeyedDataset):
    """A map-style dataset for Trainer."""

    sample_type = EncodedSample


class KeyedIterable(maskplug_torch.KeyedIterable):
    """A stream for Trainer."""

    sample_type = EncodedSample


def attach(trainer: Any, *, resume_other_spec: bool = False) -> None:
    """Make the masks of a Trainer a function of strategy, seed, epoch (or step) and sample.

    Masks are then the same with any number of workers, persistent or not, and of processes, any
    batch size and gradient accumulation, and after a resume in mid-epoch. Evaluation masks are
    frozen (t = 0, progress 0); samples with labels of their own are evaluated unmasked. Every
    checkpoint stores the strategy's spec and seed; resuming it under others is refused before the
    first step.

    A sample's key is its ``sample_id`` column, or else its index in the dataset; in a stream, its
    ``sample_id`` or its content. The trainer's datasets and collator are replaced by wrapped ones;
    the originals are not changed. Its ``compute_loss`` uses the weights of batches that have them,
    is 0 for batches in which nothing is predicted, and is unchanged for all others; adaptive
    strategies follow its losses, which every checkpoint stores. Attaching again has no effect.

    Args:
        trainer: a ``transformers.Trainer`` whose ``data_collator`` is a ``DataCollatorForMasking``.
        resume_other_spec: resume a checkpoint of another spec or seed, or without a record of
            them, with a warning.

    Raises:
        OptionError: when the trainer has another collator or overrides its data loaders, a dataset
            has no samples that can be masked, the model cannot predict what the strategy makes,
            the trainer's loss withholds labels from a decoder that needs them, a stream is to be
            masked by step, or the rounds of an adaptive strategy are shorter than the prefetching
            of workers.
    """
    check_trainer(trainer)
    collator = trainer.data_collator
    if not isinstance(collator, DataCollatorForMasking):
        raise OptionError(
            f"the trainer's data_collator is {collator!r:.80}; attach needs "
            "Trainer(data_collator=DataCollatorForMasking(tokenizer, …))"
        )
    columns = _columns(trainer, collator)
    check_dataset(trainer.train_dataset, columns, "train_dataset")
    evaluation = trainer.eval_dataset
    several = isinstance(evaluation, dict) and "input_ids" not in evaluation
    if several:
        for name, dataset in evaluation.items():
            check_dataset(dataset, columns, f"eval_dataset[{name!r}]")
    else:
        check_dataset(evaluation, columns, "eval_dataset")
    callback = _callback(trainer, collator, resume_other_spec)
    explain_loader_errors(trainer)
    _check_stream(trainer.train_dataset, collator)
    trainer.data_collator = collator.as_attached(trainer.model)
    _check_loss(trainer, trainer.data_collator)
    if not isinstance(trainer.compute_loss, WeightedLoss | LossListener):
        trainer.compute_loss = WeightedLoss(trainer)
    track_losses(trainer, trainer.data_collator, callback.shared, resume_other_spec)
    trainer.train_dataset = _keyed(trainer.train_dataset, callback.shared, columns)
    if several:
        trainer.eval_dataset = {n: _keyed(d, None, columns) for n, d in evaluation.items()}
    else:
        trainer.eval_dataset = _keyed(evaluation, None, columns)


def _callback(
    trainer: Any, collator: DataCollatorForMasking, resume_other_spec: bool
) -> MaskingCallback:
    for callback in trainer.callback_handler.callbacks:
        if isinstance(callback, MaskingCallback):
            callback.watch(collator, resume_other_spec)
            return callback
    callback = MaskingCallback(collator, SharedEpoch(), resume_other_spec)
    trainer.add_callback(callback)
    return callback


def _columns(trainer: Any, collator: DataCollatorForMasking) -> frozenset[str] | None:
    """Return the columns that Trainer lets through, and those that the collator reads."""
    if not trainer.args.remove_unused_columns:
        return None
    read = {"label", "label_ids", *trainer.label_names, *collator.strategy.required_annotations}
    return COLLATOR_COLUMNS | read | arguments(trainer.model)


def _check_loss(trainer: Any, collator: DataCollatorForMasking) -> None:
    """Refuse a loss for which Trainer withholds labels that the model makes inputs of."""
    loss, model = trainer_loss(trainer), collator.model_info
    if loss and model.has_decoder and model.decoder_shift is None:
        raise OptionError(
            f"Trainer's {loss} takes the labels out of the batch, and it is not known how "
            f"{model.name} makes decoder_input_ids of them: without them its decoder reads the "
            f"masked inputs. Train without {loss}, or add a method "
            "prepare_decoder_input_ids_from_labels(labels) to the model"
        )


def _keyed(dataset: Any, shared: SharedEpoch | None, columns: frozenset[str] | None) -> Any:
    if dataset is None or isinstance(dataset, KeyedDataset | KeyedIterable):
        return dataset
    kind = KeyedIterable if isinstance(dataset, IterableDataset) else KeyedDataset
    return kind(dataset, shared, columns)


def _check_stream(dataset: Any, collator: DataCollatorForMasking) -> None:
    """Refuse masks by step for a stream, and warn of one without length."""
    if not isinstance(dataset, IterableDataset) or isinstance(dataset, KeyedIterable):
        return
    strategy = collator.strategy
    if strategy.needs_step:
        raise OptionError(
            f"strategy {strategy.label!r} masks by step, and samples of a stream "
            f"({type(dataset).__name__}) have no index from which their step follows; choose a "
            "clock that counts epochs, or a dataset with indices"
        )
    try:
        len(dataset)  # type: ignore[arg-type]
    except TypeError:
        consequence = "schedules stay at their start, and " if strategy.needs_progress else ""
        warnings.warn(
            f"{type(dataset).__name__} has no length, so Trainer does not know the epoch after a "
            f"resume: {consequence}a resumed run counts epochs from 0 again; samples are keyed by "
            "their 'sample_id' column, or by content",
            MaskplugWarning,
            stacklevel=3,
        )
