"""attach(trainer): exact epochs, ranks, workers and resume in one call."""

from __future__ import annotations

import warnings
from typing import Any

from torch.utils.data import IterableDataset

from maskplug.errors import MaskplugWarning, OptionError
from maskplug_hf.batch import LAYERS
from maskplug_hf.callback import MaskingCallback
from maskplug_hf.checks import check_dataset, check_trainer, guard_loaders
from maskplug_hf.collator import DataCollatorForMasking
from maskplug_hf.feedback import HeardLoss, follow
from maskplug_hf.loss import WeightedLoss
from maskplug_hf.model import arguments
from maskplug_hf.moment import Moment
from maskplug_hf.predicted import ZeroLoss
from maskplug_hf.samples import SAMPLE_ID, KeyedDataset, KeyedIterable

#: Columns that no model takes and the collator reads.
READ = frozenset({SAMPLE_ID, "special_tokens_mask", "word_ids", *LAYERS})


def attach(trainer: Any, *, resume_other_spec: bool = False) -> None:
    """Make the masks of a Trainer a function of strategy, seed, epoch (or step) and sample.

    The same masks then come with any number of workers, persistent or not, and of processes, any
    batch size and gradient accumulation, and after a resume in mid-epoch. Evaluation masks are
    frozen (t = 0, progress 0); samples with labels of their own are evaluated clean. Every
    checkpoint holds the strategy's spec and seed; resuming it under others is refused before the
    first step.

    A sample's key is its ``sample_id`` column, or else its index in the dataset; in a stream, its
    ``sample_id`` or its content. The trainer's datasets and collator are replaced by wrapped ones;
    the originals are not changed. Its ``compute_loss`` uses the weights of batches that have them,
    is 0 for batches in which nothing is predicted, and is what it was for all others; adaptive
    strategies listen to its outputs, and every checkpoint holds what they heard. Attaching twice
    does nothing more.

    Args:
        trainer: a ``transformers.Trainer`` whose ``data_collator`` is a ``DataCollatorForMasking``.
        resume_other_spec: resume a checkpoint of another spec or seed, or without a record of
            them, with a warning.

    Raises:
        OptionError: when the trainer has another collator or makes its data loaders in a way of
            its own, a dataset has no samples that can be masked, the model cannot predict what the
            strategy asks for, its loss keeps labels from a decoder that needs them, a stream is to
            be masked by step, or an adaptive strategy has rounds that are shorter than workers load
            ahead.
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
    for name, dataset in _evaluation(trainer).items():
        check_dataset(dataset, columns, name)
    callback = _callback(trainer, collator, resume_other_spec)
    guard_loaders(trainer)
    _check_stream(trainer.train_dataset, collator)
    trainer.data_collator = collator.as_attached(trainer.model)
    _check_loss(trainer, trainer.data_collator)
    if not isinstance(trainer.compute_loss, WeightedLoss | HeardLoss):
        trainer.compute_loss = ZeroLoss(trainer)
        trainer.compute_loss = WeightedLoss(trainer)
    follow(trainer, trainer.data_collator, callback.moment, resume_other_spec)
    trainer.train_dataset = _keyed(trainer.train_dataset, callback.moment, columns)
    evaluation = trainer.eval_dataset
    if isinstance(evaluation, dict):
        trainer.eval_dataset = {n: _keyed(d, None, columns) for n, d in evaluation.items()}
    else:
        trainer.eval_dataset = _keyed(evaluation, None, columns)


def _evaluation(trainer: Any) -> dict[str, Any]:
    """The datasets that a trainer evaluates; several where it has a dict of them."""
    data = trainer.eval_dataset
    if isinstance(data, dict) and "input_ids" not in data:  # else these are columns
        return {f"eval_dataset[{name!r}]": dataset for name, dataset in data.items()}
    return {"eval_dataset": data}


def _callback(
    trainer: Any, collator: DataCollatorForMasking, resume_other_spec: bool
) -> MaskingCallback:
    for callback in trainer.callback_handler.callbacks:
        if isinstance(callback, MaskingCallback):
            callback.watch(collator, resume_other_spec)
            return callback
    callback = MaskingCallback(collator, Moment(), resume_other_spec)
    trainer.add_callback(callback)
    return callback


def _columns(trainer: Any, collator: DataCollatorForMasking) -> frozenset[str] | None:
    """The columns that Trainer would let through, and those that the collator reads."""
    if not trainer.args.remove_unused_columns:
        return None
    read = READ | {
        "label",
        "label_ids",
        *trainer.label_names,
        *collator.strategy.required_annotations,
    }
    return read | arguments(trainer.model)


def _check_loss(trainer: Any, collator: DataCollatorForMasking) -> None:
    """Refuse a loss for which Trainer keeps the labels from a model that makes inputs of them."""
    facts = collator.facts
    losses = {
        "label_smoothing_factor": trainer.label_smoother,
        "compute_loss_func": trainer.compute_loss_func,
    }
    given = [name for name, loss in losses.items() if loss is not None]
    if given and facts is not None and facts.decoder and facts.shift is None:
        raise OptionError(
            f"Trainer's {given[0]} takes the labels out of the batch, and how {facts.name} makes "
            "decoder_input_ids of them is not known: without them its decoder reads the masked "
            f"inputs. Train without {given[0]}, or give the model a method "
            "prepare_decoder_input_ids_from_labels(labels)"
        )


def _keyed(dataset: Any, moment: Moment | None, columns: frozenset[str] | None) -> Any:
    if dataset is None or isinstance(dataset, KeyedDataset | KeyedIterable):
        return dataset
    if isinstance(dataset, IterableDataset):
        return KeyedIterable(dataset, moment, columns)
    return KeyedDataset(dataset, moment, columns)


def _check_stream(dataset: Any, collator: DataCollatorForMasking) -> None:
    """Say at once what cannot be kept for a dataset without indices.

    Raises:
        OptionError: when masks by step were asked for.
    """
    if not isinstance(dataset, IterableDataset) or isinstance(dataset, KeyedIterable):
        return
    strategy = collator.strategy
    if strategy.needs_step:
        raise OptionError(
            f"strategy {strategy.label!r} draws masks by step, and the samples of a stream "
            f"({type(dataset).__name__}) have no place from which to tell their step; choose a "
            "clock that counts epochs, or a dataset with indices"
        )
    if not _has_length(dataset):
        lost = "a schedule stands at its start, and " if strategy.needs_progress else ""
        warnings.warn(
            f"{type(dataset).__name__} has no length, so Trainer cannot tell its epochs after a "
            f"resume: {lost}a resumed run counts epochs from 0 again; samples are keyed by their "
            "'sample_id' column, or by content",
            MaskplugWarning,
            stacklevel=3,
        )


def _has_length(dataset: Any) -> bool:
    try:
        len(dataset)
    except TypeError:
        return False
    return True
