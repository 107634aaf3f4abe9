"""Columns to the batch that a strategy masks, and its attention mask back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

import maskplug
from maskplug.arrays import BoolArray, IntArray, UintArray
from maskplug.collate import Side, pad, visible
from maskplug.errors import TokenError
from maskplug.ragged import Ragged
from maskplug.tokens import content_keys
from maskplug_hf.columns import Column, aligned, flat, hidden_tokens, word_starts
from maskplug_hf.samples import SAMPLE_ID, Sample


def take_keys(features: Sequence[Any], columns: dict[str, Column]) -> Column | None:
    """One key a sample, or None to take them from the content; removes ``sample_id``.

    Raises:
        TokenError: when only some samples have a key.
    """
    given = columns.pop(SAMPLE_ID, None)
    if isinstance(features[0], Sample):
        given = [feature.key for feature in features]
    if given is None or all(key is None for key in given):
        return None
    missing = [i for i, key in enumerate(given) if key is None]
    if missing:
        raise TokenError(f"feature {missing[0]} has no sample_id, others have one")
    return [key.item() if isinstance(key, torch.Tensor) else key for key in given]


def take_tokens(
    columns: dict[str, Column], keys: Column | None
) -> tuple[maskplug.TokenBatch, BoolArray | None]:
    """The batch to be masked, and which of its tokens the attention mask hides (None: none).

    Removes the columns that were read, but for ``attention_mask``.
    """
    ids, offsets = flat("input_ids", columns.pop("input_ids"))
    layers: dict[str, Any] = {}
    hidden = protected = None
    if "attention_mask" in columns:
        protected = hidden = hidden_tokens(columns["attention_mask"], offsets)
    if "special_tokens_mask" in columns:
        rows = columns.pop("special_tokens_mask")
        special = aligned("special_tokens_mask", rows, offsets) != 0
        protected = special if hidden is None else special | hidden
    if protected is not None:
        layers["protected"] = protected
    if "word_ids" in columns:
        layers["word_starts"] = word_starts(columns.pop("word_ids"), offsets)
    named = _visible_content(ids, offsets, hidden) if keys is None else keys
    return maskplug.TokenBatch.from_flat(ids, offsets, named, layers), hidden


def _visible_content(ids: IntArray, offsets: IntArray, hidden: BoolArray | None) -> UintArray:
    """Keys by content, the same for a row however it was padded before."""
    if hidden is None:
        return content_keys(ids, offsets)
    seen = np.concatenate(([0], np.cumsum(~hidden)))
    return content_keys(ids[~hidden], seen[offsets])


def attention(inputs: Ragged, hidden: BoolArray | None, width: int, side: Side) -> IntArray:
    """The padded attention mask: 1 = seen; int64, shape (samples, width)."""
    if hidden is None:
        return visible(inputs.lengths, width, side)
    return pad(like(inputs, ~hidden, "attention_mask"), 0, width, side)


def like(inputs: Ragged, values: Any, name: str) -> Ragged:
    """Values for each original token, as rows like the masked inputs.

    Raises:
        TokenError: when the strategy changed the number of tokens.
    """
    if len(values) != len(inputs.values):
        raise TokenError(
            f"column {name!r} has one value for each original token, and the strategy changed "
            "their number; drop the column, and give rows without padding"
        )
    return Ragged(values, inputs.offsets)
