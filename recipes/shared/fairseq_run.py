"""Run fairseq: fairseq-train for each stage, fairseq-generate, and the classifier."""

from __future__ import annotations

import importlib.util
import re
import shlex
from typing import Any

from recipes.shared import fairseq_begin
from recipes.shared import fairseq_commands as commands
from recipes.shared.curve import Point, of_fairseq, of_fairseq_line
from recipes.shared.errors import RecipeError
from recipes.shared.plan import StageRun
from recipes.shared.running import Tell, lines_of

HYPOTHESIS = re.compile(r"D-(\d+)\t[^\t]*\t(.*)")
LOG = "fairseq-train.log"


def check() -> None:
    """Check that fairseq is installed.

    Raises:
        RecipeError: if it is not.
    """
    if not importlib.util.find_spec("fairseq"):
        raise RecipeError("fairseq is not installed: see 'Installing' in README.md")


def train(stage: StageRun, threads: int, tell: Tell) -> None:
    """Train a stage from its last checkpoint or from its start."""
    check()
    stage.folder.mkdir(parents=True, exist_ok=True)
    command = commands.train_command(stage)
    begin = stage.folder / commands.BEGIN
    if commands.beginning(stage) == begin and not begin.exists():
        fairseq_begin.write(stage)
    (stage.folder / "command.sh").write_text(shlex.join(command) + "\n")
    for line in lines_of(command, stage.folder / LOG, threads):
        point = of_fairseq_line(line)
        if point:
            name = "validation loss" if point.valid else "loss"
            tell(point.update, stage.stage.updates, f"{name} {point.loss:.2f}")


def curve(stage: StageRun) -> list[Point]:
    """Return the learning curve of a stage."""
    return of_fairseq(stage.folder / LOG)


def generate(
    stage: StageRun, split: str, threads: int, tell: Tell, attention: str = ""
) -> list[str]:
    """Return a generated text for each row of a split.

    Args:
        stage: its best checkpoint is used.
        split: of the corpus.
        threads: number of threads.
        tell: receives the number of finished rows.
        attention: a cross-attention pattern that replaces the one of the training.
    """
    check()
    texts: dict[int, str] = {}
    rows = stage.run.work.facts()["summary"][split]["used"]
    log = stage.run.folder / f"fairseq-generate-{split}.log"
    log.unlink(missing_ok=True)
    for line in lines_of(commands.generate_command(stage, split, attention), log, threads):
        match = HYPOTHESIS.match(line)
        if match:
            texts[int(match[1])] = match[2].removeprefix("<s>").strip()
            tell(len(texts), rows, "")
    return [texts.get(i, "") for i in range(rows)]


def classify(stage: StageRun, split: str, threads: int, tell: Tell) -> list[str]:
    """Return the class that the best checkpoint predicts for each row of a split."""
    check()
    import torch
    from fairseq import checkpoint_utils

    import maskplug_fairseq  # noqa: F401 (registers the tasks and the classes in checkpoints)

    torch.set_num_threads(threads)
    data = commands.data_of(stage.run, "classification")
    models, _, task = checkpoint_utils.load_model_ensemble_and_task(
        [str(stage.folder / "checkpoint_best.pt")], arg_overrides={"data": str(data)}
    )
    model = models[0].eval()
    task.load_dataset(split)
    iterator = task.get_batch_iterator(
        task.dataset(split), max_sentences=64, max_positions=model.max_positions()
    ).next_epoch_itr(shuffle=False)
    classes: dict[int, str] = {}
    labels = stage.run.work.facts()["labels"]
    for i, sample in enumerate(iterator):
        tell(i, len(iterator), "")
        with torch.inference_mode():
            logits: Any = model(
                **sample["net_input"],
                features_only=True,
                classification_head_name="sentence_classification_head",
            )[0]
        predicted = (logits.argmax(-1) + task.label_dictionary.nspecial).tolist()
        for row, label in zip(sample["id"].tolist(), predicted, strict=True):
            classes[row] = labels[int(task.label_dictionary[label])]
    return [classes[i] for i in range(len(classes))]
