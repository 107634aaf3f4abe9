"""Read rows of a `datasets.Dataset` as arrays instead of Python lists.

`datasets` converts every row to a list of ``int``, which takes longer than masking it.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ArrowReader:
    """Reads rows of a `datasets.Dataset` by index.

    Columns with rows of integers become int arrays; all others are returned as usual.

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
