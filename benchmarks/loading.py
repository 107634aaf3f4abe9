"""Whole data loaders: ours, transformers' and an idle one, with two workers and with none.

``measure`` gives "loaders": a list of dicts, one for each source of rows and number of workers.

- "rows": where they come from. "lists" are dicts of Python lists; "Arrow" is a `datasets.Dataset`
  that makes such lists of its columns; "Arrow, numpy" is one with ``with_format("numpy")``;
  "Arrow, Trainer" is the loader that Trainer makes, with ours after ``attach``.
- "workers": 0 or 2.
- "maskplug, tokens/s" and "peer, tokens/s": whole epochs, with workers that are there already. Ours
  is told each epoch, and draws new masks in it.
- "ratio" of the two, and "goal", the least that we want (None where we want nothing).
- "tensors, tokens/s": the limit. The same loader of rows that are arrays already, with a collator
  that only stacks them, and hands on the three int64 tensors that all collators do.
- "arrays, tokens/s": the same, as NumPy arrays. Each tensor goes through a shared memory of its
  own, for which worker and main process must meet; arrays travel through the pipe.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import count
from statistics import median
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from benchmarks import wordpiece
from benchmarks.comparison import seconds

GOAL = 10.0
WORKERS = (0, 2)


@dataclass(frozen=True)
class Size:
    """How much is loaded: an epoch's batches of so many rows, and how often both take turns."""

    rows: int = 32
    length: int = 512
    batches: int = 160
    rounds: int = 5

    @property
    def tokens(self) -> int:
        """Of an epoch."""
        return self.batches * self.rows * self.length


@dataclass(frozen=True)
class Side:
    """A loader, and what is to be called before each epoch."""

    loader: Iterable[Any]
    begin: Callable[[], object]

    def epoch(self) -> None:
        """Load everything once, and keep nothing."""
        self.begin()
        deque(self.loader, maxlen=0)


def measure(small: bool) -> dict[str, Any]:
    """Tokens a second of every loader."""
    size = Size(rows=2, length=8, batches=2, rounds=1) if small else Size()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in a worker
    try:
        found = [
            measured(name, workers, make(workers, size), size)
            for name, make in sources(size).items()
            for workers in WORKERS
        ]
    finally:
        torch.set_num_threads(threads)
    return {"loaders": found}


def sources(size: Size) -> dict[str, Callable[[int, Size], dict[str, Side]]]:
    """By name, what makes both sides for a number of workers."""
    import datasets

    lists = wordpiece.rows(size.batches * size.rows, size.length)
    arrow = datasets.Dataset.from_list(lists)
    return {
        "lists": partial(plain, lists),
        "Arrow": partial(plain, arrow),
        "Arrow, numpy": partial(plain, arrow.with_format("numpy")),
        "Arrow, Trainer": partial(trainers, arrow),
    }


def measured(name: str, workers: int, sides: dict[str, Side], size: Size) -> dict[str, Any]:
    """One dict of figures; the sides take turns, after an epoch that starts their workers."""
    print(f"loading: {name}, {workers} workers", flush=True)
    sides = sides | idle(workers, size)
    for side in sides.values():
        side.epoch()
    turns = [{n: seconds(side.epoch, 1) for n, side in sides.items()} for _ in range(size.rounds)]
    speed = {f"{n}, tokens/s": size.tokens / median(turn[n] for turn in turns) for n in sides}
    return {
        "rows": name,
        "workers": workers,
        **speed,
        "ratio": median(turn["peer"] / turn["maskplug"] for turn in turns),
        "goal": GOAL if workers else None,
    }


def loader(rows: Any, collate: Any, workers: int, size: Size) -> DataLoader[Any]:
    """Torch's own, with workers that stay from epoch to epoch."""
    return DataLoader(
        rows,
        size.rows,
        shuffle=True,
        num_workers=workers,
        collate_fn=collate,
        persistent_workers=workers > 0,
    )


def collators() -> tuple[Any, Any]:
    """Ours and transformers', for the same masks: 15 %, of which 80/10/10."""
    from transformers import DataCollatorForLanguageModeling

    from maskplug_hf import DataCollatorForMasking

    tokenizer = wordpiece.tokenizer()
    ours = DataCollatorForMasking(tokenizer, "dynamic", rate=0.15, seed=1)
    return ours, DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15)


def plain(rows: Any, workers: int, size: Size) -> dict[str, Side]:
    """Both sides in a loader of one's own."""
    ours, theirs = collators()
    epochs = count()
    return {
        "maskplug": Side(loader(rows, ours, workers, size), lambda: ours.set_epoch(next(epochs))),
        "peer": Side(loader(rows, theirs, workers, size), lambda: None),
    }


def trainers(rows: Any, workers: int, size: Size) -> dict[str, Side]:
    """Both sides in Trainer's loader."""
    from maskplug_hf import attach

    ours, theirs = (_trainer(rows, collator, workers, size) for collator in collators())
    attach(ours)
    return {"maskplug": _of_trainer(ours), "peer": _of_trainer(theirs)}


def _of_trainer(trainer: Any) -> Side:
    begin = trainer.callback_handler.on_epoch_begin  # which tells our masks the epoch
    now = (trainer.args, trainer.state, trainer.control)
    return Side(trainer.get_train_dataloader(), partial(begin, *now))


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
    config = BertConfig(  # of a model that is never called
        vocab_size=len(collator.tokenizer),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
    )
    model = BertForMaskedLM(config)
    return Trainer(model=model, args=args, data_collator=collator, train_dataset=rows)


def idle(workers: int, size: Size) -> dict[str, Side]:
    """Loaders that have nothing to do but to hand on three arrays, or tensors, of a batch."""
    rows = list(np.zeros((size.batches * size.rows, size.length), np.int64))
    made = {"tensors": stacked_tensors, "arrays": stacked_arrays}
    return {n: Side(loader(rows, c, workers, size), lambda: None) for n, c in made.items()}


def stacked_arrays(rows: list[Any]) -> dict[str, Any]:
    """What every collator for masked language models returns, without its content."""
    ids = np.stack(rows)
    return {"input_ids": ids, "attention_mask": np.ones_like(ids), "labels": ids.copy()}


def stacked_tensors(rows: list[Any]) -> dict[str, Any]:
    """The same as tensors."""
    return {name: torch.from_numpy(array) for name, array in stacked_arrays(rows).items()}
