"""Datasets whose items carry their key and their time to the collator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from torch.utils.data import Dataset, IterableDataset
from transformers import BatchEncoding

from maskplug.errors import TokenError
from maskplug_hf.arrow import ArrowReader, reader
from maskplug_hf.moment import Moment

SAMPLE_ID = "sample_id"


class Sample(BatchEncoding):
    """One item of a dataset, with the key and the time of its mask.

    Trainer's filter of columns rebuilds every ``dict``, and would lose them; it leaves other
    mappings alone. Its sampler by length asks for a ``dict`` or a ``BatchEncoding``.

    Attributes:
        key: the sample's key, or None to take it from the content.
        epoch, step, progress: when the mask is for.
        trained: whether the model is trained on it, and not evaluated.
    """

    def __init__(
        self,
        data: dict[str, Any],
        key: int | str | bytes | None,
        epoch: int = 0,
        step: int = 0,
        progress: float = 0.0,
        trained: bool = True,
    ) -> None:
        super().__init__()
        self.data = data
        self.key, self.epoch, self.step, self.progress = key, epoch, step, progress
        self.trained = trained


class _Wrapped:
    """What both kinds of dataset share: the original, its columns and the time."""

    def __init__(self, dataset: Any, moment: Moment | None, columns: frozenset[str] | None) -> None:
        self.dataset = dataset
        self.moment = moment
        self.columns = columns

    def __getattr__(self, name: str) -> Any:
        # ``set_epoch``, ``column_names`` and the like are there when the original has them.
        if name == "dataset":  # not there yet while being unpickled
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def __len__(self) -> int:
        return len(self.dataset)

    def _now(self) -> tuple[int, float]:
        if self.moment is None:
            return 0, 0.0
        epoch, progress = self.moment.read()
        return epoch or 0, progress

    def _split(self, item: Any, key: Any) -> tuple[dict[str, Any], Any]:
        """The item's columns that the collator may see, and its key.

        Raises:
            TokenError: when there is nothing in it that could be masked.
        """
        who = "a sample of the dataset" if key is None else f"sample {key} of the dataset"
        if not isinstance(item, Mapping):
            if not _is_row(item):
                raise TokenError(
                    f"{who} is of type {type(item).__name__}; a sample is a mapping with "
                    "'input_ids', or a row of ids"
                )
            return {"input_ids": item}, key
        wanted = self.columns
        kept = {
            name: value
            for name, value in item.items()
            if name != SAMPLE_ID and (wanted is None or name in wanted)
        }
        if wanted is not None and "input_ids" not in kept:
            raise TokenError(
                f"{who} has no 'input_ids', it has {sorted(map(str, item))}: tokenize it first"
            )
        return kept, item.get(SAMPLE_ID, key)


class KeyedDataset(_Wrapped, Dataset[Sample]):
    """A dataset with indices: a sample's key is its ``sample_id``, or else its index.

    Args:
        dataset: the original; it is not changed.
        moment: where the epoch is read; None for evaluation, which freezes every mask at t = 0.
        columns: the columns to keep, or None for all.

    Example:
        >>> keyed = KeyedDataset([{"input_ids": [5, 6]}], moment=None, columns=None)
        >>> keyed[0], keyed[0].key
        ({'input_ids': [5, 6]}, 0)
    """

    def __init__(self, dataset: Any, moment: Moment | None, columns: frozenset[str] | None) -> None:
        super().__init__(_without(dataset, columns), moment, columns)

    def __getitem__(self, index: Any) -> Sample:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[Any]) -> list[Sample]:
        """Several samples; an index is a number, or (number, step, progress)."""
        epoch, progress = self._now()
        stamps = [i if isinstance(i, tuple) else (i, 0, progress) for i in indices]
        rows = self._rows([stamp[0] for stamp in stamps])
        trained = self.moment is not None
        return [
            Sample(data, key, epoch, step, share, trained)
            for (data, key), (_, step, share) in zip(rows, stamps, strict=True)
        ]

    def _rows(self, indices: list[Any]) -> list[tuple[dict[str, Any], Any]]:
        """The wanted columns of some items, and their keys."""
        if self._reader is not None:  # its rows are nobody else's, and have no other columns
            rows = self._reader(indices)
            return [(row, row.pop(SAMPLE_ID, i)) for row, i in zip(rows, indices, strict=True)]
        read = getattr(self.dataset, "__getitems__", None)
        items = read(indices) if read else [self.dataset[i] for i in indices]
        return [self._split(item, i) for item, i in zip(items, indices, strict=True)]

    @cached_property
    def _reader(self) -> ArrowReader | None:
        return reader(self.dataset)


def _is_row(item: Any) -> bool:
    """Whether an item may be a row of ids; several rows in a tuple are inputs and labels, say."""
    if isinstance(item, str | bytes) or not hasattr(item, "__len__"):
        return False
    return not isinstance(item, tuple) or all(np.ndim(first) == 0 for first in item[:1])


def _without(dataset: Any, columns: frozenset[str] | None) -> Any:
    """A `datasets.Dataset` without the columns that nobody reads: they need not be decoded."""
    dataset = _in_rows(dataset)
    names = getattr(dataset, "column_names", None)
    if columns is None or not isinstance(names, list) or not hasattr(dataset, "remove_columns"):
        return dataset
    if getattr(dataset, "format", {}).get("type") == "custom":  # a transform may read any column
        return dataset
    return dataset.remove_columns([n for n in names if n not in columns and n != SAMPLE_ID])


def _in_rows(dataset: Any) -> Any:
    """A `datasets.Dataset` that hands out samples as mappings, and not as tables."""
    shown = getattr(dataset, "format", None)
    if not isinstance(shown, Mapping) or shown.get("type") not in ("arrow", "pandas", "polars"):
        return dataset
    return dataset.with_format(None, columns=shown["columns"])


class KeyedIterable(_Wrapped, IterableDataset[Sample]):
    """A stream: a sample's key is its ``sample_id``, or else its content.

    Workers that read one stream count from 0 each, so that a position is no key.
    """

    def __iter__(self) -> Iterator[Sample]:
        epoch, progress = self._now()  # once, so that no later epoch reaches this pass
        for item in self.dataset:
            data, key = self._split(item, None)
            yield Sample(data, key, epoch, 0, progress, self.moment is not None)
