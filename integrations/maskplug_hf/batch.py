"""Columns to the batch that a strategy masks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

import maskplug
from maskplug.errors import TokenError
from maskplug.tokens import content_keys
from maskplug.types import BoolArray, IntArray, UintArray
from maskplug_hf.columns import Column, aligned, flat, hidden_tokens, layer, word_starts
from maskplug_hf.samples import SAMPLE_ID, Sample
from maskplug_hf.shown import Given, inner_tokens

#: The columns that are layers of the batch for every strategy.
LAYERS = ("word_starts", "sentence_starts", "protected")
#: Columns that the model takes as well, so that a strategy that reads them leaves them there.
SHARED = ("attention_mask", "token_type_ids")


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
    return [_plain_key(key) for key in given]


def _plain_key(key: Any) -> Any:
    """The key in an array or a tensor of one value, or in a scalar of Arrow; others as they are."""
    if hasattr(key, "as_py"):
        return key.as_py()
    one = isinstance(key, torch.Tensor | np.ndarray) and math.prod(key.shape) == 1
    return key.item() if one else key


def take_tokens(
    columns: dict[str, Column], keys: Column | None, strategy: maskplug.Strategy
) -> Given:
    """The batch to be masked, with every layer that the strategy reads.

    Removes the columns that were read, but for those that the model takes as well.

    Raises:
        TokenError: naming column and feature when a column does not fit, or naming column and
            strategy when it is not there.
    """
    wanted = _wanted(columns, strategy)
    ids, offsets = flat("input_ids", columns.pop("input_ids"))
    hidden = None
    if "attention_mask" in columns:
        hidden = hidden_tokens(columns["attention_mask"], offsets)
    layers = {name: layer(name, columns[name], offsets) for name in wanted}
    for name in wanted:
        if name not in SHARED:
            del columns[name]
    if "special_tokens_mask" in columns:
        rows = columns.pop("special_tokens_mask")
        special = aligned("special_tokens_mask", rows, offsets) != 0
        layers["protected"] = special | (layers.get("protected", 0) != 0)
    if "word_ids" in columns:
        if "word_starts" in layers:
            raise TokenError("the columns 'word_ids' and 'word_starts' both say where words begin")
        layers["word_starts"] = word_starts(columns.pop("word_ids"), offsets)
    named = _visible_content(ids, offsets, hidden) if keys is None else keys
    tokens = maskplug.TokenBatch.from_flat(ids, offsets, named, layers)
    given = Given(tokens, ids, offsets)
    return given if hidden is None else _without_padding(given, hidden)


def _wanted(columns: dict[str, Column], strategy: maskplug.Strategy) -> list[str]:
    missing = [
        name for name in strategy.required_annotations if name not in columns and name not in LAYERS
    ]
    if missing:
        raise TokenError(
            f"strategy {strategy.label!r} reads the column {missing[0]!r}, and the features have "
            f"{sorted(columns)}: give one value for each token. (Trainer drops columns that its "
            "model does not take; attach(trainer) keeps those that the strategy reads)"
        )
    return [
        name for name in dict.fromkeys((*LAYERS, *strategy.required_annotations)) if name in columns
    ]


def _visible_content(ids: IntArray, offsets: IntArray, hidden: BoolArray | None) -> UintArray:
    """Keys by content, the same for a row however it was padded before."""
    if hidden is None:
        return content_keys(ids, offsets)
    seen = np.concatenate(([0], np.cumsum(~hidden)))
    return content_keys(ids[~hidden], seen[offsets])


def _without_padding(given: Given, hidden: BoolArray) -> Given:
    """Take off what is hidden at the ends of rows; what is hidden inside is protected."""
    tokens, inner = given.tokens, inner_tokens(hidden, given.offsets)
    layers = {
        **tokens.annotations,
        "protected": hidden | (tokens.annotations.get("protected", 0) != 0),
    }
    within = np.concatenate(([0], np.cumsum(inner)))[given.offsets]
    cut = maskplug.TokenBatch(
        given.ids[inner], within, tokens.keys, {name: row[inner] for name, row in layers.items()}
    )
    rest = hidden[inner]
    return replace(given, tokens=cut, inner=inner, hidden=rest if rest.any() else None)
