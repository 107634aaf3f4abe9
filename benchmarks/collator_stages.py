"""What costs what in the Hugging Face collator, from features to tensors.

The first row is the limit: the same columns are read and the same tensors are handed on, and
nothing is masked. The column of rows of two tokens is what Python takes whatever their length.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch

from benchmarks.peers.transformers_features import (
    Batch,
    converted,
    in_turn,
    random_batches,
    tokenizer,
)
from benchmarks.timing import Prepare, timed

ROWS, LENGTH, BATCHES, ROUNDS = 32, 512, 12, 40
SHORT = 2
LIMIT = "nothing masked: two columns read, three tensors made"


def handed_on(features: Batch) -> Any:
    """Three tensors of the size that a masked batch has, and two columns read for them."""
    columns = {name: [feature[name] for feature in features] for name in features[0]}
    ids, seen = (np.concatenate(columns[name]) for name in ("input_ids", "attention_mask"))
    made = {"input_ids": ids, "labels": np.full_like(ids, -100), "attention_mask": seen}
    return tensors({n: flat.reshape(len(features), -1) for n, flat in made.items()})


def tensors(arrays: dict[str, Any]) -> Any:
    """A batch of tensors."""
    from maskplug_hf.collator import Batch

    return Batch({name: torch.from_numpy(array) for name, array in arrays.items()})


def stages(reader: Any, batches: list[Batch]) -> Iterator[tuple[str, Prepare]]:
    """The stages of a call in their order, each on the next of the batches."""
    from maskplug_torch.features import Features

    from maskplug_hf import DataCollatorForMasking

    collator = DataCollatorForMasking(reader, "dynamic", seed=1)
    collator.set_epoch(0)
    parse = partial(Features.parse, strategy=collator.strategy)
    parsed = [parse(features) for features in batches]
    mask = partial(collator.strategy, vocab=collator.vocabulary, seed=1)
    masked = [mask(one.tokens) for one in parsed]
    made = [dict(collator(features, return_tensors="np")) for features in batches]

    def padded(i: int) -> object:
        out = collator._collation(masked[i], parsed[i])
        return out.input_ids(), out.attention_mask(), out.predictions()

    if isinstance(batches[0][0]["input_ids"], np.ndarray):
        yield LIMIT, each(handed_on, batches)
    yield "ids, attention mask and keys as arrays", each(parse, batches)
    yield "strategy", each(mask, [one.tokens for one in parsed])
    yield "ids, attention mask and labels, padded", each(padded, list(range(len(batches))))
    yield "tensors", each(tensors, made)
    yield "all", each(collator, batches)


def each(call: Callable[[Any], object], inputs: list[Any]) -> Prepare:
    """Calls that meet the next input each time, so that nothing is in the nearest cache."""
    following = in_turn(call, inputs)
    return lambda: following


def measure(small: bool) -> dict[str, Any]:
    """Microseconds of each stage: medians."""
    rows, length, count, rounds = (2, 16, 2, 1) if small else (ROWS, LENGTH, BATCHES, ROUNDS)
    reader = tokenizer()
    whole = random_batches(reader, rows, length, count)
    sides = {
        f"lists, {rows} × {length}, µs": whole,
        f"numpy rows, {rows} × {length}, µs": converted(whole, np.array),
        f"numpy rows, {rows} × {SHORT}, µs": converted(
            random_batches(reader, rows, SHORT, count), np.array
        ),
    }
    torch.set_num_threads(1)
    found: dict[str, dict[str, float]] = {}
    for side, batches in sides.items():
        for name, taken in timed(dict(stages(reader, batches)), rounds).items():
            found.setdefault(name, {})[side] = statistics.median(taken) * 1e6
    return {LIMIT: found.pop(LIMIT), **found}
