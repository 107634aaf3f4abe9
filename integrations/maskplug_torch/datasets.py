"""Datasets whose samples carry their key, epoch and step to the collator."""

from __future__ import annotations

import itertools
import sys
from collections import UserDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from torch.utils.data import Dataset, IterableDataset

from maskplug.errors import TokenError
from maskplug_torch.shared_epoch import SharedEpoch

SAMPLE_ID = "sample_id"


class Sample(UserDict[str, Any]):
    """One item of a dataset, with the key and the time of its mask.

    Attributes:
        key: the sample's key, or None to derive it from the content.
        epoch, step, progress: the time of the mask.
        training: whether the model is trained on it, rather than evaluated.
    """

    def __init__(
        self,
        data: dict[str, Any],
        key: int | str | bytes | None,
        epoch: int = 0,
        step: int = 0,
        progress: float = 0.0,
        training: bool = True,
    ) -> None:
        super().__init__()
        self.data = data
        self.key, self.epoch, self.step, self.progress = key, epoch, step, progress
        self.training = training


class _Wrapped:
    """A dataset, the columns to keep, and where the epoch is read."""

    #: The class of the items.
    sample_type = Sample

    def __init__(
        self,
        dataset: Any,
        shared: SharedEpoch | None = None,
        columns: frozenset[str] | None = None,
    ) -> None:
        self.dataset = dataset
        self.shared = shared
        self.columns = columns

    def __getattr__(self, name: str) -> Any:
        # ``set_epoch``, ``column_names`` and the like exist when the original has them.
        if name == "dataset":  # not set yet while being unpickled
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def __len__(self) -> int:
        return len(self.dataset)

    def _now(self) -> tuple[int, float]:
        if self.shared is None:
            return 0, 0.0
        epoch, progress = self.shared.read()
        return epoch or 0, progress

    def _split(self, item: Any, key: Any) -> tuple[dict[str, Any], Any]:
        """Return the item's columns for the collator, and its key."""
        if not isinstance(item, Mapping):
            if not _is_row(item):
                raise TokenError(
                    f"{_name(key)} is of type {type(item).__name__}; expected a mapping with "
                    "'input_ids', or a row of ids"
                )
            return {"input_ids": item}, key
        columns = self.columns
        kept = {
            name: value
            for name, value in item.items()
            if name != SAMPLE_ID and (columns is None or name in columns)
        }
        if columns is not None and "input_ids" not in kept:
            raise TokenError(
                f"{_name(key)} has no 'input_ids', only {sorted(map(str, item))}: tokenize the "
                "dataset first"
            )
        return kept, item.get(SAMPLE_ID, key)


def _name(key: Any) -> str:
    return "a sample of the dataset" if key is None else f"sample {key} of the dataset"


class KeyedDataset(_Wrapped, Dataset[Sample]):
    """A map-style dataset: a sample's key is its ``sample_id``, or else its index.

    Args:
        dataset: the original; it is not changed.
        shared: where the epoch is read; None for evaluation, which freezes every mask at t = 0.
        columns: the columns to keep, or None for all.

    Example:
        >>> keyed = KeyedDataset([{"input_ids": [5, 6]}])
        >>> keyed[0], keyed[0].key
        ({'input_ids': [5, 6]}, 0)
    """

    def __init__(
        self,
        dataset: Any,
        shared: SharedEpoch | None = None,
        columns: frozenset[str] | None = None,
    ) -> None:
        super().__init__(_without_unused(dataset, columns), shared, columns)

    def __getitem__(self, index: Any) -> Sample:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[Any]) -> list[Sample]:
        """Return several samples; an index is a number, or (number, step, progress)."""
        epoch, progress = self._now()
        stamps = [i if isinstance(i, tuple) else (i, 0, progress) for i in indices]
        rows = self._rows([stamp[0] for stamp in stamps])
        training = self.shared is not None
        return [
            self.sample_type(data, key, epoch, step, share, training)
            for (data, key), (_, step, share) in zip(rows, stamps, strict=True)
        ]

    def _rows(self, indices: list[Any]) -> list[tuple[dict[str, Any], Any]]:
        """Return the kept columns of some items, and their keys."""
        if self._reader is not None:  # its rows are new objects without other columns
            rows = self._reader(indices)
            return [(row, row.pop(SAMPLE_ID, i)) for row, i in zip(rows, indices, strict=True)]
        read = getattr(self.dataset, "__getitems__", None)
        items = read(indices) if read else [self.dataset[i] for i in indices]
        return [self._split(item, i) for item, i in zip(items, indices, strict=True)]

    @cached_property
    def _reader(self) -> ArrowReader | None:
        return reader(self.dataset)


def _is_row(item: Any) -> bool:
    """Whether an item can be a row of ids; a tuple of rows is inputs and labels, for example."""
    if isinstance(item, str | bytes) or not hasattr(item, "__len__"):
        return False
    return not isinstance(item, tuple) or all(np.ndim(first) == 0 for first in item[:1])


def _without_unused(dataset: Any, columns: frozenset[str] | None) -> Any:
    """Drop unused columns of a `datasets.Dataset`, so that they are not decoded."""
    format_ = getattr(dataset, "format", None)
    if isinstance(format_, Mapping) and format_.get("type") in ("arrow", "pandas", "polars"):
        dataset = dataset.with_format(None, columns=format_["columns"])  # rows instead of tables
    names = getattr(dataset, "column_names", None)
    if columns is None or not isinstance(names, list) or not hasattr(dataset, "remove_columns"):
        return dataset
    if getattr(dataset, "format", {}).get("type") == "custom":  # a transform may read any column
        return dataset
    return dataset.remove_columns([n for n in names if n not in columns and n != SAMPLE_ID])


class KeyedIterable(_Wrapped, IterableDataset[Sample]):
    """A stream: a sample's key is its ``sample_id``, or else derived from its content.

    Workers that read one stream each count from 0, so that a position cannot be a key.
    """

    def __iter__(self) -> Iterator[Sample]:
        epoch, progress = self._now()  # once, so that no later epoch affects this pass
        for item in self.dataset:
            data, key = self._split(item, None)
            yield self.sample_type(data, key, epoch, 0, progress, self.shared is not None)


@dataclass(frozen=True)
class ArrowReader:
    """Reads rows of a `datasets.Dataset` by index.

    Columns with rows of integers become int arrays, as `datasets` converts every row to a list of
    ``int``, which takes longer than masking it. All other columns are returned as usual.

    Args:
        arrow: the dataset, in the format "arrow".

    Example:
        >>> import datasets
        >>> rows = datasets.Dataset.from_dict({"input_ids": [[5, 6], [7]], "text": ["a", "b"]})
        >>> reader(rows)([1, 0])
        [{'input_ids': array([7]...), 'text': 'b'}, {'input_ids': array([5, 6]...), 'text': 'a'}]
    """

    arrow: Any

    def __call__(self, indices: Sequence[int]) -> list[dict[str, Any]]:
        """Return rows as dicts, in the order of the indices."""
        table = self.arrow[list(indices)]
        names = table.column_names
        columns = [_column(table[name]) for name in names]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def reader(dataset: Any) -> ArrowReader | None:
    """Return a reader for a plain `datasets.Dataset`; None for other types, formats, transforms."""
    datasets = sys.modules.get("datasets")  # imported already if the dataset is one of its own
    if datasets is None or type(dataset) is not datasets.Dataset:
        return None
    if dataset.format["type"] is not None or not _has_rows(dataset.features):
        return None
    return ArrowReader(dataset.with_format("arrow", columns=dataset.format["columns"]))


def _has_rows(features: Any) -> bool:
    """Whether some column holds rows, and none has to be decoded (as images have)."""
    from datasets import ClassLabel, Value

    rows = [feature.feature for feature in features.values() if hasattr(feature, "feature")]
    single = [feature for feature in features.values() if not hasattr(feature, "feature")]
    return bool(rows) and all(isinstance(f, Value | ClassLabel) for f in (*rows, *single))


def _column(column: Any) -> list[Any]:
    import pyarrow as pa

    array = column.combine_chunks()
    if not (pa.types.is_list(array.type) or pa.types.is_large_list(array.type)):
        return array.to_pylist()  # type: ignore[no-any-return]
    values, dtype = array.values, array.type.value_type
    fits_int64 = pa.types.is_integer(dtype) and not pa.types.is_uint64(dtype)
    if not fits_int64 or array.null_count or values.null_count:
        return array.to_pylist()  # type: ignore[no-any-return]
    flat, ends = values.to_numpy(), array.offsets.to_pylist()
    return [flat[a:b] for a, b in itertools.pairwise(ends)]
