"""What attach refuses before training: trainers and datasets that it cannot serve."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from torch.utils.data import IterableDataset
from transformers import Trainer

from maskplug.errors import OptionError, described
from maskplug_hf.collator import DataCollatorForMasking
from maskplug_hf.samples import KeyedDataset, KeyedIterable

#: Libraries whose trainers make data loaders from datasets of certain types only, and what to do.
TRAINERS = {
    "sentence_transformers": "it tokenizes texts in a collator of its own and takes no masked "
    "batches; train the transformers model within with transformers.Trainer, and load it as a "
    "SentenceTransformer afterwards",
}
#: Libraries whose tables have columns where a dataset has samples.
TABLES = ("pandas", "polars", "pyarrow")
LOADERS = ("get_train_dataloader", "get_eval_dataloader", "get_test_dataloader")


def check_trainer(trainer: Any) -> None:
    """Refuse trainers that are known to take no wrapped dataset.

    Raises:
        OptionError: naming what to use instead.
    """
    for kind in type(trainer).__mro__:
        remedy = TRAINERS.get(kind.__module__.partition(".")[0])
        if remedy:
            raise OptionError(f"attach cannot serve {type(trainer).__name__}: {remedy}")


def check_dataset(dataset: Any, columns: frozenset[str] | None, name: str) -> None:
    """Refuse a dataset that has no samples, or none that can be masked.

    Args:
        dataset: what a trainer was given.
        columns: those that pass Trainer's filter; None where it is switched off.
        name: the trainer's attribute.

    Raises:
        OptionError: naming the dataset's type or columns, and what to give instead.
    """
    if dataset is None or isinstance(dataset, KeyedDataset | KeyedIterable):
        return
    who = f"{name} is of type {type(dataset).__name__}"
    if isinstance(dataset, Mapping):
        parts = ", ".join(repr(part) for part in list(dataset)[:8])
        raise OptionError(
            f"{who} with the keys {parts}; give one split of it ({name}=data['train']), or build a "
            "dataset from its columns (datasets.Dataset.from_dict)"
        )
    if type(dataset).__module__.partition(".")[0] in TABLES:
        raise OptionError(f"{who}, a table; give datasets.Dataset.from_dict, from_pandas, …")
    if not isinstance(dataset, IterableDataset):
        _check_length(dataset, who, name)
    names = _names(dataset)
    if columns is not None and names is not None and "input_ids" not in names:
        raise OptionError(
            f"{name} has no column 'input_ids', it has {sorted(map(str, names))}: tokenize it "
            "first (data.map(lambda row: tokenizer(row['text']))), or, for a collator of your own "
            "that tokenizes, set remove_unused_columns=False"
        )


def _check_length(dataset: Any, who: str, name: str) -> None:
    if not hasattr(dataset, "__getitem__"):
        raise OptionError(
            f"{who}, which has neither indices nor torch's IterableDataset as its class; give a "
            "list, datasets.Dataset.from_generator(…), or a torch.utils.data.IterableDataset"
        )
    try:
        length = len(dataset)
    except (TypeError, NotImplementedError):
        raise OptionError(
            f"{who}, which has indices and no length; give it a __len__, or a "
            "torch.utils.data.IterableDataset"
        ) from None
    if not length:
        raise OptionError(f"{name} is empty ({type(dataset).__name__} of length 0)")


def _names(dataset: Any) -> list[Any] | None:
    """The names of a dataset's columns, where they can be known without loading a sample."""
    if isinstance(dataset, list | tuple):
        return list(dataset[0]) if isinstance(dataset[0], Mapping) else None
    names = getattr(dataset, "column_names", None)
    if not isinstance(names, list) or not hasattr(dataset, "remove_columns"):
        return None
    shown = getattr(dataset, "format", None)
    if not isinstance(shown, Mapping):
        return names
    if shown["type"] == "custom":  # a transform, which makes columns of its own
        return None
    return names if shown["output_all_columns"] else list(shown["columns"])


def guard_loaders(trainer: Any) -> None:
    """Say what has failed when a trainer makes its data loaders in a way of its own."""
    for name in LOADERS:
        own = getattr(type(trainer), name) is not getattr(Trainer, name)
        if own and name not in vars(trainer):
            method = getattr(trainer, name)
            setattr(trainer, name, _explained(method, f"{type(trainer).__name__}.{name}()"))


def _explained(method: Any, who: str) -> Any:
    @functools.wraps(method)
    def explained(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            reason = described(error)
            raise OptionError(
                f"{who} failed with a dataset that attach has wrapped ({reason}); if it takes only "
                "datasets of a certain type, use transformers.Trainer"
            ) from error

    return explained


def check_loader(loader: Any) -> None:
    """Refuse to train on samples that do not carry their key and time: their masks would not move.

    Args:
        loader: of the training data.

    Raises:
        OptionError: when it is not made of the dataset and the collator that attach left.
    """
    for name in ("_loader", "dl"):  # accelerate's wrappers for TPUs and for sequence parallelism
        loader = getattr(loader, name, loader)
    if not _wraps(getattr(loader, "dataset", None)):
        raise OptionError(
            "the training data are not trainer.train_dataset as attach has wrapped it, so that "
            "their masks would never change; call attach(trainer) after the last change of its "
            "datasets, and make data loaders of trainer.train_dataset"
        )
    collator = getattr(loader, "collate_fn", None)
    collator = getattr(collator, "data_collator", collator)  # Trainer's filter of columns
    if isinstance(collator, DataCollatorForMasking) and not collator.attached:
        raise OptionError(
            "trainer.data_collator is not the one that attach has left; call attach(trainer) after "
            "the last change of its collator"
        )


def _wraps(dataset: Any) -> bool:
    """Whether this is a wrapped dataset, or a subset, a concatenation or a shard of some."""
    while dataset is not None and not isinstance(dataset, KeyedDataset | KeyedIterable):
        parts = getattr(dataset, "datasets", None)
        if parts:
            return all(_wraps(part) for part in parts)
        dataset = getattr(dataset, "dataset", None)
    return dataset is not None
