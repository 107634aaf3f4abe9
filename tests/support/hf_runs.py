"""Trainer runs that record the inputs of the model."""

from __future__ import annotations

import gc
import itertools
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import torch
import transformers
from transformers import BertConfig, BertForMaskedLM, Trainer, TrainerCallback, TrainingArguments

from maskplug.errors import MaskplugWarning
from maskplug_hf import DataCollatorForMasking, attach
from support import hf_tokenizers as tokenizers
from support.hf_reference import Row

SAMPLES = {4: 48, 16: 96}  #: by batch size
EPOCHS = 2
SEED = 11
STRATEGY: tuple[str, dict[str, Any]] = ("dynamic", {"rate": 0.3, "unit": "word"})
STEP_STRATEGY: tuple[str, dict[str, Any]] = (
    "dynamic",
    {"rate": {"name": "linear", "start": 0.2, "end": 0.6}, "clock": "step"},
)

WORKERS = ["0", "1", "2", "persistent"]
BATCHES = [4, 16]
SIDES = ["right", "left"]
RESUMES = ["not", "once", "twice"]
#: Number of workers, batch size and padding side.
Cell = tuple[str, int, str]
CELLS: list[Cell] = list(itertools.product(WORKERS, BATCHES, SIDES))
#: Both values of each setting, and one cell for two processes; the other cells are slow tests.
SMALL_CELLS: list[Cell] = [("0", 16, "left"), ("persistent", 4, "right")]
SMALL_CELLS_OF_RANKS = SMALL_CELLS[1:]


def rows(samples: int = 96) -> list[list[int]]:
    """Different rows of 6 to 20 ids, [CLS] … [SEP]."""
    vocab = tokenizers.bert()
    rng = np.random.default_rng(5)
    words = np.arange(5, len(vocab))
    return [[2, *rng.choice(words, rng.integers(4, 19)).tolist(), 3] for _ in range(samples)]


def dataset(samples: int = 96, **columns: list[Any]) -> datasets.Dataset:
    """The rows with a column that no model takes."""
    ids = rows(samples)
    masks = [[1] * len(row) for row in ids]
    text = [f"sample {i}" for i in range(samples)]
    table = {"text": text, "input_ids": ids, "attention_mask": masks, **columns}
    return datasets.Dataset.from_dict(table)


@dataclass(frozen=True)
class Seen:
    """One row of the inputs of the model."""

    training: bool
    epoch: int
    step: int
    original: tuple[int, ...]
    row: Row


class Recorder(Trainer):
    """A Trainer that records every row before the model gets it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.seen: list[Seen] = []

    def compute_loss(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        epoch, step = int(self.state.epoch or 0), self.state.global_step
        for ids, mask, labels in zip(
            inputs["input_ids"], inputs["attention_mask"], inputs["labels"], strict=True
        ):
            kept = mask.bool()
            assert (labels[~kept] == -100).all()
            ids, labels = ids[kept], labels[kept]
            original = torch.where(labels == -100, ids, labels)
            row = (tuple(ids.tolist()), tuple(labels.tolist()))
            self.seen.append(Seen(model.training, epoch, step, tuple(original.tolist()), row))
        return super().compute_loss(model, inputs, *args, **kwargs)

    @property
    def trained(self) -> list[Seen]:
        return [seen for seen in self.seen if seen.training]


def model() -> Any:
    config = BertConfig(
        vocab_size=len(tokenizers.bert()),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
        max_position_embeddings=32,
    )
    return BertForMaskedLM(config)


def arguments(folder: Path, **options: Any) -> TrainingArguments:
    workers = str(options.pop("workers", "0"))
    return TrainingArguments(
        output_dir=str(folder),
        use_cpu=True,
        report_to=[],
        disable_tqdm=True,
        logging_strategy="no",
        dataloader_num_workers=2 if workers == "persistent" else int(workers),
        dataloader_persistent_workers=workers == "persistent",
        **{"optim": "sgd", "max_grad_norm": 0.0, "save_strategy": "no"}
        | {"num_train_epochs": EPOCHS, **options},
    )


def collator(side: str = "right", seed: int = SEED) -> DataCollatorForMasking:
    name, options = STRATEGY
    return DataCollatorForMasking(tokenizers.bert(padding_side=side), name, seed=seed, **options)


def trainer(
    folder: Path,
    collate: Any = None,
    data: Any = None,
    evaluation: Any = None,
    *,
    learner: Any = None,
    trainer_class: Any = Recorder,
    compute_loss_func: Any = None,
    **options: Any,
) -> Any:
    """A trainer that is not attached; by default of a tiny BERT on the sample rows."""
    return trainer_class(
        model=learner or model(),
        args=arguments(folder, **options),
        data_collator=collate or collator(),
        train_dataset=dataset() if data is None else data,
        eval_dataset=evaluation,
        compute_loss_func=compute_loss_func,
    )


plain_trainer = partial(trainer, trainer_class=Trainer)


def mean_loss(outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
    """A ``compute_loss_func``."""
    return torch.nn.functional.cross_entropy(outputs.logits.flatten(0, 1), labels.flatten())


#: Options of trainers that compute another loss.
OTHER_LOSSES: list[dict[str, Any]] = [
    {"label_smoothing_factor": 0.1},
    {"compute_loss_func": mean_loss},
]


def collator_for(
    tokenizer: Any, model: Any, way: str, folder: Path, *strategy: Any, **options: Any
) -> DataCollatorForMasking:
    """A collator that knows the model from its constructor, from attach, or not at all."""
    options["model"] = model if way == "model" else None
    collate = DataCollatorForMasking(tokenizer, *strategy, **options)
    if way != "attach":
        return collate
    attached = plain_trainer(folder, collate, [[5]], learner=model)
    attach(attached)
    return attached.data_collator  # type: ignore[no-any-return]


@contextmanager
def no_warning() -> Iterator[None]:
    """Let warnings of maskplug be errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", MaskplugWarning)
        yield


class SaveAt(TrainerCallback):
    """Saves a checkpoint after a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        control.should_save = state.global_step == self.step


def resumed_runs(
    folder: Path, workers: str, batch: int, side: str, processes: int
) -> dict[str, list[Seen]]:
    """The inputs of a whole run, and of runs that were interrupted in mid-epoch.

    The second epoch is cut in the middle, and again one step later. A resumed run is listed with
    what came before the cut.
    """
    data = dataset(SAMPLES[batch])
    steps = len(data) // (batch * processes)
    middle = steps + steps // 2
    rows: dict[str, list[Seen]] = {}
    before: list[Seen] = []
    for number, resume in enumerate(RESUMES):
        options = {"workers": workers, "per_device_train_batch_size": batch}
        attached = trainer(folder, collator(side), data, **options)
        attach(attached)
        attached.add_callback(SaveAt(middle + number))
        checkpoint = folder / f"checkpoint-{middle + number - 1}"
        attached.train(resume_from_checkpoint=str(checkpoint) if number else None)
        rows[resume] = before + attached.trained
        before = [seen for seen in rows[resume] if seen.step < middle + number]
    return rows


def step_runs(folder: Path, workers: str, batch: int, accumulation: int) -> list[Seen]:
    """The inputs with a clock of steps, of a run that was interrupted after its first step."""
    name, options = STEP_STRATEGY
    seen: list[Seen] = []
    for number in range(2):
        attached = trainer(
            folder,
            DataCollatorForMasking(tokenizers.bert(), name, seed=SEED, **options),
            dataset(SAMPLES[batch]),
            workers=workers,
            per_device_train_batch_size=batch,
            gradient_accumulation_steps=accumulation,
        )
        attach(attached)
        attached.add_callback(SaveAt(1))
        attached.train(resume_from_checkpoint=str(folder / "checkpoint-1") if number else None)
        seen = [one for one in seen if one.step < 1] + attached.trained
    return seen


def all_runs(folder: Path, cells: Sequence[Cell]) -> dict[str, Any]:
    """Return the inputs of the model of this process in every run of some cells of the table."""
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    gc.freeze()  # each training begins with gc.collect()
    processes = int(os.environ["WORLD_SIZE"])
    seen = {}
    for cell in cells:
        runs = resumed_runs(folder / "-".join(map(str, cell)), *cell, processes)
        for resume, rows in runs.items():
            seen["/".join(map(str, (*cell, resume)))] = [vars(row) for row in rows]
    for workers in dict.fromkeys(workers for workers, *_ in cells):
        rows = step_runs(folder / f"step-{workers}", workers, 4, 2)
        seen[f"step/{workers}"] = [vars(row) for row in rows]
    return seen
