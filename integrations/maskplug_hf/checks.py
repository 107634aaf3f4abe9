"""Trainers and datasets that attach refuses before training."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from maskplug_torch import KeyedDataset, KeyedIterable
from torch.utils.data import IterableDataset
from transformers import Trainer

from maskplug.errors import OptionError, described
from maskplug_hf.collator import DataCollatorForMasking

#: Libraries whose tables are indexed by column instead of by sample.
TABLES = ("pandas", "polars", "pyarrow")
LOADERS = ("get_train_dataloader", "get_eval_dataloader", "get_test_dataloader")


def check_trainer(trainer: Any) -> None:
    """Refuse trainers that do not accept wrapped datasets."""
    libraries = {kind.__module__.partition(".")[0] for kind in type(trainer).__mro__}
    if "sentence_transformers" in libraries:
        raise OptionError(
            f"attach does not support {type(trainer).__name__}: it tokenizes texts in its own "
            "collator and takes no masked batches; train the inner transformers model with "
            "transformers.Trainer, and load it as a SentenceTransformer afterwards"
        )


def check_dataset(dataset: Any, columns: frozenset[str] | None, name: str) -> None:
    """Refuse a trainer's dataset without samples that can be masked.

    ``columns`` are those that pass Trainer's filter; None if it is disabled.
    """
    if dataset is None or isinstance(dataset, KeyedDataset | KeyedIterable):
        return
    who = f"{name} is of type {type(dataset).__name__}"
    if isinstance(dataset, Mapping):
        parts = ", ".join(repr(part) for part in list(dataset)[:8])
        raise OptionError(
            f"{who} with the keys {parts}; pass one split of it ({name}=data['train']), or build a "
            "dataset from its columns (datasets.Dataset.from_dict)"
        )
    if type(dataset).__module__.partition(".")[0] in TABLES:
        raise OptionError(f"{who}, a table; use datasets.Dataset.from_dict, from_pandas, …")
    if not isinstance(dataset, IterableDataset):
        _check_length(dataset, who, name)
    names = _names(dataset)
    if columns is not None and names is not None and "input_ids" not in names:
        raise OptionError(
            f"{name} has no column 'input_ids', it has {sorted(map(str, names))}: tokenize it "
            "first (data.map(lambda row: tokenizer(row['text']))), or set "
            "remove_unused_columns=False if your own collator tokenizes"
        )


def _check_length(dataset: Any, who: str, name: str) -> None:
    if not hasattr(dataset, "__getitem__"):
        raise OptionError(
            f"{who}, which has no indices and is not a torch IterableDataset; use a "
            "list, datasets.Dataset.from_generator(…), or a torch.utils.data.IterableDataset"
        )
    try:
        length = len(dataset)
    except (TypeError, NotImplementedError):
        raise OptionError(
            f"{who}, which has indices but no length; add a __len__, or use a "
            "torch.utils.data.IterableDataset"
        ) from None
    if not length:
        raise OptionError(f"{name} is empty ({type(dataset).__name__} of length 0)")


def _names(dataset: Any) -> list[Any] | None:
    """Return the names of a dataset's columns, if known without loading a sample."""
    if isinstance(dataset, list | tuple):
        return list(dataset[0]) if isinstance(dataset[0], Mapping) else None
    names = getattr(dataset, "column_names", None)
    if not isinstance(names, list) or not hasattr(dataset, "remove_columns"):
        return None
    format_ = getattr(dataset, "format", None)
    if not isinstance(format_, Mapping):
        return names
    if format_["type"] == "custom":  # a transform may return other columns
        return None
    return names if format_["output_all_columns"] else list(format_["columns"])


def explain_loader_errors(trainer: Any) -> None:
    """Explain errors of a trainer that overrides the methods that make its data loaders."""
    for name in LOADERS:
        overridden = getattr(type(trainer), name) is not getattr(Trainer, name)
        if overridden and name not in vars(trainer):
            method = getattr(trainer, name)
            setattr(trainer, name, _explained(method, f"{type(trainer).__name__}.{name}()"))


def _explained(method: Any, who: str) -> Any:
    @functools.wraps(method)
    def explained(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise OptionError(
                f"{who} failed with a dataset wrapped by attach ({described(error)}); if it needs "
                "datasets of a certain type, use transformers.Trainer"
            ) from error

    return explained


def check_loader(loader: Any) -> None:
    """Refuse training data without key and time, because their masks would never change."""
    for name in ("_loader", "dl"):  # accelerate's wrappers for TPUs and sequence parallelism
        loader = getattr(loader, name, loader)
    if not _wraps(getattr(loader, "dataset", None)):
        raise OptionError(
            "the training data are not the trainer.train_dataset wrapped by attach, so that their "
            "masks would never change; call attach(trainer) after the last change of its datasets, "
            "and make data loaders of trainer.train_dataset"
        )
    collator = getattr(loader, "collate_fn", None)
    collator = getattr(collator, "data_collator", collator)  # Trainer's filter of columns
    if isinstance(collator, DataCollatorForMasking) and not collator.attached:
        raise OptionError(
            "trainer.data_collator is not the one set by attach; call attach(trainer) after the "
            "last change of its collator"
        )


def _wraps(dataset: Any) -> bool:
    """Whether this is a wrapped dataset, or a subset, a concatenation or a shard of such."""
    while dataset is not None and not isinstance(dataset, KeyedDataset | KeyedIterable):
        parts = getattr(dataset, "datasets", None)
        if parts:
            return all(_wraps(part) for part in parts)
        dataset = getattr(dataset, "dataset", None)
    return dataset is not None
