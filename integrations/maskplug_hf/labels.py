"""The labels that features bring themselves: one number each, or a text to generate."""

from __future__ import annotations

from typing import Any

import numpy as np

from maskplug.errors import TokenError
from maskplug.ragged import Ragged, plain_row
from maskplug.types import IntArray
from maskplug_hf.columns import Column, flat, is_scalar, stacked

#: The names under which transformers' own collators take labels; all become ``labels``.
NAMES = ("labels", "label", "label_ids")


def take_labels(columns: dict[str, Column]) -> Ragged | np.ndarray[Any, Any] | None:
    """Remove the labels from the columns.

    Returns:
        Ragged int64 for sequences of ids (translations, summaries, tags); an array for one label a
        sample, int64 or float32, and for rows of floats of one length (many labels a sample); None
        when the features bring no labels.

    Raises:
        TokenError: when there are several such columns, or their values are of different kinds.
    """
    found = [name for name in NAMES if name in columns]
    if not found:
        return None
    if len(found) > 1:
        raise TokenError(f"features have the columns {found}; one of them holds the labels: which?")
    name = found[0]
    values = [plain_row(value) for value in columns.pop(name)]
    kinds = {is_scalar(value) for value in values}
    if len(kinds) > 1:
        odd = next(i for i, v in enumerate(values) if is_scalar(v) != is_scalar(values[0]))
        raise TokenError(
            f"column {name!r} mixes single labels and sequences: {values[0]!r:.60} in feature 0, "
            f"{values[odd]!r:.60} in feature {odd}"
        )
    if kinds == {True} or _floats(values):
        return stacked(name, values)
    return Ragged(*flat(name, values))


def _floats(values: Column) -> bool:
    first = next((value[0] for value in values if len(value)), 0)
    return np.asarray(first).dtype.kind == "f"


def check_lengths(labels: Ragged, lengths: IntArray, model: str) -> None:
    """Refuse sequences that a model without a decoder cannot be trained on.

    Args:
        labels: the samples' own.
        lengths: of their inputs.
        model: the name of one without a decoder.

    Raises:
        TokenError: when a sequence is not as long as its inputs.
    """
    wrong = np.flatnonzero(labels.lengths != lengths)
    if len(wrong):
        i = int(wrong[0])
        raise TokenError(
            f"feature {i} has {labels.lengths[i]} labels for {lengths[i]} tokens, and "
            f"{model} has no decoder: it needs one label for each token"
        )
