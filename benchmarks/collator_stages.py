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
from benchmarks.parts import Row
from benchmarks.peers.transformers_collators import Batch, converted, in_turn, random_batches
from benchmarks.timing import Prepare, medians

ROWS, LENGTH, SHORT, BATCHES = 32, 512, 2, 12
LIMIT = "nothing masked: two columns read, three tensors made"


def unmasked(features: Batch) -> Any:
    """Return three tensors of the size of a masked batch."""
    from maskplug_hf.collator import _tensors

    ids, seen = (np.stack([f[name] for f in features]) for name in ("input_ids", "attention_mask"))
    return _tensors(
        {"input_ids": ids, "labels": np.full_like(ids, -100), "attention_mask": seen}, "pt"
    )


def stages(reader: Any, batches: list[Batch]) -> Iterator[tuple[str, Prepare]]:
    """Yield the stages of a call in their order; each call uses the next batch."""
    from maskplug_hf import DataCollatorForMasking
    from maskplug_hf.batch import take_tokens
    from maskplug_hf.collator import _tensors
    from maskplug_hf.columns import columns_of
    from maskplug_hf.shown import Shown

    collator = DataCollatorForMasking(reader, "dynamic", seed=1)
    collator.set_epoch(0)
    columns = [columns_of(features) for features in batches]
    given = [take_tokens(dict(read), None, collator.strategy) for read in columns]
    mask = partial(collator.strategy, vocab=collator.vocabulary, seed=1)
    masked = [mask(one.tokens) for one in given]
    shown = [Shown(one, made.inputs) for one, made in zip(given, masked, strict=True)]
    arrays = [dict(collator(features, return_tensors="np")) for features in batches]

    def read(one: Any) -> object:
        return take_tokens(dict(one), None, collator.strategy)

    def padded(i: int) -> object:
        out = collator._outputs(masked[i], shown[i])
        return out.input_ids(), out.attention_mask(), out.predictions()

    if isinstance(batches[0][0]["input_ids"], np.ndarray):
        yield LIMIT, each(unmasked, batches)
    yield "columns of the features", each(columns_of, batches)
    yield "ids, attention mask and keys as arrays", each(read, columns)
    yield "strategy", each(mask, [one.tokens for one in given])
    yield "ids, attention mask and labels, padded", each(padded, list(range(len(batches))))
    yield "tensors", each(partial(_tensors, kind="pt"), arrays)
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
    torch.set_num_threads(1)
    table: dict[str, Row] = {}
    for column, batches in columns.items():
        for name, seconds in medians(dict(stages(reader, batches)), rounds).items():
            table.setdefault(name, {"what": name})[column] = seconds * 1e6
    return list(table.values())
