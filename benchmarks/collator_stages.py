"""Measure the stages of the Hugging Face collator, from features to tensors.

The first row is the limit: it reads the same columns and returns equal tensors without masking. The
rows of two tokens show the time that a call takes at any length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch

from benchmarks.inputs import tokenizer
from benchmarks.peers.transformers_collators import Batch, converted, in_turn, random_batches
from benchmarks.timing import Prepare, Row, medians

ROWS, LENGTH, SHORT, BATCHES = 32, 512, 2, 12
LIMIT = "nothing masked: two columns read, three tensors made"


def unmasked(features: Batch) -> Any:
    """Return three tensors of the size of a masked batch."""
    ids, seen = (np.stack([f[name] for f in features]) for name in ("input_ids", "attention_mask"))
    return tensors({"input_ids": ids, "labels": np.full_like(ids, -100), "attention_mask": seen})


def tensors(arrays: dict[str, Any]) -> Any:
    """Return a batch of tensors."""
    from maskplug_hf.collator import Batch

    return Batch({name: torch.from_numpy(array) for name, array in arrays.items()})


def stages(reader: Any, batches: list[Batch]) -> Iterator[tuple[str, Prepare]]:
    """Yield the stages of a call in their order; each call uses the next batch."""
    from maskplug_torch.features import Features

    from maskplug_hf import DataCollatorForMasking

    collator = DataCollatorForMasking(reader, "dynamic", seed=1)
    collator.set_epoch(0)
    parse = partial(Features.parse, strategy=collator.strategy)
    parsed = [parse(features) for features in batches]
    mask = partial(collator.strategy, vocab=collator.vocabulary, seed=1)
    masked = [mask(features.tokens) for features in parsed]
    arrays = [dict(collator(features, return_tensors="np")) for features in batches]

    def padded(i: int) -> object:
        out = collator._collation(masked[i], parsed[i])
        return out.input_ids(), out.attention_mask(), out.predictions()

    if isinstance(batches[0][0]["input_ids"], np.ndarray):
        yield LIMIT, each(unmasked, batches)
    yield "ids, attention mask and keys as arrays", each(parse, batches)
    yield "strategy", each(mask, [features.tokens for features in parsed])
    yield "ids, attention mask and labels, padded", each(padded, list(range(len(batches))))
    yield "tensors", each(tensors, arrays)
    yield "all", each(collator, batches)


def each(call: Callable[[Any], object], inputs: list[Any]) -> Prepare:
    """Prepare calls on the inputs in turn, so that none is in the nearest cache."""
    following = in_turn(call, inputs)
    return lambda: following


def measure(small: bool) -> list[Row]:
    """Return the median microseconds of each stage."""
    rows, length, count, rounds = (2, 16, 2, 1) if small else (ROWS, LENGTH, BATCHES, 40)
    reader = tokenizer()
    whole, short = (random_batches(rows, n, count) for n in (length, SHORT))
    columns = {
        f"numpy rows, {rows} × {length}, µs": converted(whole, np.array),
        f"numpy rows, {rows} × {SHORT}, µs": converted(short, np.array),
        f"lists, {rows} × {length}, µs": whole,
    }
    table: dict[str, Row] = {}
    for column, batches in columns.items():
        for name, seconds in medians(dict(stages(reader, batches)), rounds).items():
            table.setdefault(name, {"what": name})[column] = seconds * 1e6
    return list(table.values())
