"""Rows of a `datasets.Dataset`, read as arrays instead of as Python lists.

`datasets` makes a list of ``int`` of every row that it hands out, which costs more than masking it.
The same numbers lie in Arrow's memory one after the other.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ArrowReader:
    """Reads rows of a `datasets.Dataset` by their indices.

    Columns of rows of whole numbers become int arrays, all others what they always are.

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
        """Rows as dicts, in the order of their indices."""
        table = self.arrow[list(indices)]
        names = table.column_names
        columns = [_column(table[name]) for name in names]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def reader(dataset: Any) -> ArrowReader | None:
    """What reads the rows of a dataset, or None where it hands out something of its own.

    Only a plain `datasets.Dataset` is read so: one with a format or a transform stays as it is.
    """
    datasets = sys.modules.get("datasets")  # who has such a dataset has imported it
    if datasets is None or type(dataset) is not datasets.Dataset:
        return None
    if dataset.format["type"] is not None or not _has_rows(dataset.features):
        return None
    return ArrowReader(dataset.with_format("arrow", columns=dataset.format["columns"]))


def _has_rows(features: Any) -> bool:
    """Whether some column holds rows, and `datasets` decodes none (as it does with pictures)."""
    from datasets import ClassLabel, Value

    rows = [feature.feature for feature in features.values() if hasattr(feature, "feature")]
    single = [feature for feature in features.values() if not hasattr(feature, "feature")]
    return bool(rows) and all(isinstance(f, Value | ClassLabel) for f in (*rows, *single))


def _column(column: Any) -> list[Any]:
    import pyarrow as pa

    array = column.combine_chunks()
    if not (pa.types.is_list(array.type) or pa.types.is_large_list(array.type)):
        return array.to_pylist()  # type: ignore[no-any-return]
    values, kind = array.values, array.type.value_type
    whole = pa.types.is_integer(kind) and not pa.types.is_uint64(kind)
    if not whole or array.null_count or values.null_count:
        return array.to_pylist()  # type: ignore[no-any-return]
    flat, ends = values.to_numpy(), array.offsets.to_pylist()
    return [flat[a:b] for a, b in itertools.pairwise(ends)]
