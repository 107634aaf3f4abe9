"""Compare the masks of both frameworks for every row of some epochs, as their loaders return it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from rich.console import Group
from rich.panel import Panel
from rich.text import Text

import maskplug
from maskplug.viz.text import legend, render
from recipes.shared import fairseq_begin, hf_run
from recipes.shared.errors import RecipeError
from recipes.shared.pieces import load_tokenizer
from recipes.shared.plan import NONE, Run, StageRun
from recipes.shared.recorder import Recorder, Row
from recipes.shared.screen import console

Rows = dict[tuple[int, int], Row]


def masked_stage(run: Run) -> StageRun:
    """Return the stage of a run that is masked.

    Raises:
        RecipeError: if there is none.
    """
    for stage in run.stages():
        if stage.masking["name"] != NONE:
            return stage
    raise RecipeError(f"strategy {run.strategy!r} of {run.recipe.name} masks nothing")


def of_fairseq(stage: StageRun, epochs: int) -> Rows:
    """Return the masked rows that fairseq's own task, dataset and collater produce."""
    from fairseq import tasks

    task = tasks.setup_task(fairseq_begin.configured(stage).task)
    task.load_dataset("train")
    dataset = task.dataset("train")
    with Recorder(epochs) as recorder:
        for epoch in range(1, epochs + 1):
            dataset.set_epoch(epoch)
            for start in range(0, len(dataset), 100):
                rows = range(start, min(start + 100, len(dataset)))
                dataset.collater([dataset[i] for i in rows])
    return recorder.rows


def of_hugging_face(stage: StageRun, epochs: int) -> Rows:
    """Return the masked rows that Trainer's own data loader produces."""
    trainer = hf_run.make_trainer(stage, 1, lambda *_: None)
    with Recorder(epochs) as recorder:
        for epoch, batches in enumerate(_epochs(trainer, stage), 0):
            if epoch == epochs:
                break
            for _ in batches:
                pass
    return recorder.rows


def _epochs(trainer: Any, stage: StageRun) -> Iterator[Any]:
    """Yield the loader in each epoch, with the epoch set as Trainer sets it."""
    loader = trainer.get_train_dataloader()
    handler, state, control = trainer.callback_handler, trainer.state, trainer.control
    state.num_train_epochs, state.max_steps = stage.epochs, stage.stage.updates
    handler.train_dataloader = loader
    handler.on_train_begin(trainer.args, state, control)
    for epoch in range(stage.epochs):
        state.epoch = float(epoch)
        loader.set_epoch(epoch)
        handler.on_epoch_begin(trainer.args, state, control)
        yield loader


def equal_rows(ours: Rows, theirs: Rows) -> int:
    """Return how many (epoch, sample) pairs have the same tokens and masks on both sides."""
    return sum(theirs.get(moment) == row for moment, row in ours.items())


def compare(runs: Sequence[Run], epochs: int) -> None:
    """Print the masks of one row in each framework, and count the rows whose masks are equal.

    Raises:
        RecipeError: if the masks of a row differ.
    """
    stages = [masked_stage(run) for run in runs]
    epochs = min([epochs, *(stage.epochs for stage in stages)])
    drawn = {}
    for run, stage in zip(runs, stages, strict=True):
        draw = of_fairseq if run.framework == "fairseq" else of_hugging_face
        drawn[run.framework] = draw(stage, epochs)
    console.print(picture(drawn, load_tokenizer(runs[0].work, runs[0].recipe.model.family), epochs))
    first, *others = drawn.values()
    if not others:
        return
    same = min(equal_rows(first, other) for other in others)
    counts = f"{same:,} of {len(first):,} masked rows ({epochs} epochs, every training row)"
    if same < len(first) or any(len(other) != len(first) for other in others):
        raise RecipeError(f"only {counts} are the same in {' and in '.join(drawn)}")
    console.print(f"[bold green]{counts} are the same in {' and in '.join(drawn)}[/].")


def picture(drawn: dict[str, Rows], tokenizer: Any, epochs: int) -> Panel:
    """Return a panel with the masks of one row in each epoch and framework."""
    from maskplug_hf import vocabulary

    vocab = vocabulary(tokenizer)
    key = _example_row(next(iter(drawn.values())), epochs)
    lines = []
    for epoch in range(epochs):
        for name, rows in drawn.items():
            line = _line(rows[epoch, key], vocab, tokenizer)
            lines.append(Text.assemble((f"epoch {epoch + 1}  {name:13}", "cyan"), line))
        lines.append(Text())
    return Panel(Group(*lines, legend()), title=f"row {key + 1} of the training text")


def _example_row(rows: Rows, epochs: int) -> int:
    """Return the key of the first row that fits on a line and has a new mask in every epoch."""
    for (t, key), row in islice(sorted(rows.items()), 2000):
        masks = {tuple(rows[epoch, key].inputs) for epoch in range(epochs)}
        if t == 0 and 8 <= len(row.original) <= 14 and len(masks) == epochs:
            return key
    return min(key for _, key in rows)


def _line(row: Row, vocab: maskplug.Vocabulary, tokenizer: Any) -> Text:
    tokens = maskplug.TokenBatch.from_lists([row.original], keys=[0])
    selection = maskplug.Selection.from_mask(np.array(row.chosen), tokens)
    offsets = np.array([0, len(row.inputs)])
    masked = maskplug.Masked(maskplug.Ragged(np.array(row.inputs), offsets), selection)
    return render(tokens, masked, vocab, tokenizer.convert_ids_to_tokens)[0]
