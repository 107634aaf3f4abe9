"""Compare whole data loaders, without workers and with two.

Rows are dicts of lists ("lists"), a ``datasets.Dataset`` ("Arrow"), the same with numpy format
("Arrow, numpy"), or loaded by Trainer's own loader ("Arrow, Trainer"), ours after ``attach``.
"tensors" and "arrays" are the limit: a collator that only stacks rows and returns the three int64
tensors, or NumPy arrays, of a batch.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from benchmarks.inputs import WORDS, random_rows, tokenizer
from benchmarks.timing import Prepare, Row, ratios

GOAL = 10.0
#: Begins the next epoch, and returns its batches.
Side = Callable[[], Iterator[Any]]


@dataclass(frozen=True)
class Size:
    """The batches of an epoch, the size of the vocabulary, and the number of timed epochs."""

    rows: int = 32
    length: int = 512
    batches: int = 160
    words: int = WORDS
    rounds: int = 5


def measure(small: bool) -> list[Row]:
    """Return the tokens per second of every loader."""
    import datasets

    size = Size(rows=2, length=8, batches=2, words=500, rounds=1) if small else Size()
    lists = random_rows(size.batches * size.rows, size.length, size.words)
    arrow = datasets.Dataset.from_list(lists)
    sources: dict[str, Callable[[int, Size], dict[str, Side]]] = {
        "lists": partial(plain, lists),
        "Arrow": partial(plain, arrow),
        "Arrow, numpy": partial(plain, arrow.with_format("numpy")),
        "Arrow, Trainer": partial(trainers, arrow),
    }
    return [
        measured(name, workers, make(workers, size) | idle(workers, size), size)
        for name, make in sources.items()
        for workers in (0, 1 if small else 2)
    ]


def measured(name: str, workers: int, sides: dict[str, Side], size: Size) -> Row:
    """Return the median speed of whole epochs in which the sides take turns."""
    tokens = size.batches * size.rows * size.length
    row = ratios({n: whole_epochs(side) for n, side in sides.items()}, tokens, size.rounds, 0.0)
    return {"rows": name, "workers": workers, **row, "goal": GOAL if workers else None}


def whole_epochs(side: Side) -> Prepare:
    """Prepare calls that each load an epoch."""
    return lambda: lambda: deque(side(), maxlen=0)


def loader(rows: Any, collate: Any, workers: int, size: Size) -> DataLoader[Any]:
    """Return a loader whose workers stay from epoch to epoch."""
    more: dict[str, Any] = {"num_workers": workers, "persistent_workers": workers > 0}
    return DataLoader(rows, size.rows, shuffle=True, collate_fn=collate, **more)


def collators(words: int) -> tuple[Any, Any]:
    """Return our collator and that of transformers, both with 15 % and 80/10/10."""
    from transformers import DataCollatorForLanguageModeling

    from maskplug_hf import DataCollatorForMasking

    reader = tokenizer(words)
    ours = DataCollatorForMasking(reader, "dynamic", rate=0.15, seed=1)
    return ours, DataCollatorForLanguageModeling(reader, mlm_probability=0.15)


def plain(rows: Any, workers: int, size: Size) -> dict[str, Side]:
    """Return both sides in a DataLoader."""
    ours, theirs = collators(size.words)
    masked, epochs = loader(rows, ours, workers, size), count()

    def next_epoch() -> Iterator[Any]:
        ours.set_epoch(next(epochs))
        return iter(masked)

    return {"maskplug": next_epoch, "peer": loader(rows, theirs, workers, size).__iter__}


def trainers(rows: Any, workers: int, size: Size) -> dict[str, Side]:
    """Return both sides in the loader of Trainer."""
    from maskplug_hf import attach

    ours, theirs = (_trainer(rows, collator, workers, size) for collator in collators(size.words))
    attach(ours)
    return {"maskplug": _of_trainer(ours), "peer": _of_trainer(theirs)}


def _of_trainer(trainer: Any) -> Side:
    batches = trainer.get_train_dataloader()

    def next_epoch() -> Iterator[Any]:
        # Sets the epoch of our collator.
        trainer.callback_handler.on_epoch_begin(trainer.args, trainer.state, trainer.control)
        return iter(batches)

    return next_epoch


def _trainer(rows: Any, collator: Any, workers: int, size: Size) -> Any:
    from transformers import BertConfig, BertForMaskedLM, Trainer, TrainingArguments

    args = TrainingArguments(
        output_dir=tempfile.gettempdir(),
        use_cpu=True,
        report_to=[],
        per_device_train_batch_size=size.rows,
        dataloader_num_workers=workers,
        dataloader_persistent_workers=workers > 0,
        dataloader_pin_memory=False,
    )
    # The model is never called.
    config = BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1)
    model = BertForMaskedLM(config)
    return Trainer(model=model, args=args, data_collator=collator, train_dataset=rows)


def idle(workers: int, size: Size) -> dict[str, Side]:
    """Return loaders that only stack rows."""
    rows = list(np.zeros((size.batches * size.rows, size.length), np.int64))
    collate = {"tensors": stacked_tensors, "arrays": stacked_arrays}
    return {name: loader(rows, c, workers, size).__iter__ for name, c in collate.items()}


def stacked_arrays(rows: list[Any]) -> dict[str, Any]:
    ids = np.stack(rows)
    return {"input_ids": ids, "attention_mask": np.ones_like(ids), "labels": ids.copy()}


def stacked_tensors(rows: list[Any]) -> dict[str, Any]:
    return {name: torch.from_numpy(array) for name, array in stacked_arrays(rows).items()}
