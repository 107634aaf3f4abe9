"""Train, evaluate and record a run."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from recipes.shared import fairseq_run, hf_run, latency, results, scores
from recipes.shared.curve import Point
from recipes.shared.errors import RecipeError
from recipes.shared.plan import Run, StageRun
from recipes.shared.running import Step, Stopwatch, Tell, kept
from recipes.shared.workspace import default, write

#: The file with the progress of a run.
PROGRESS = "progress.json"


def side(run: Run) -> ModuleType:
    """Return the module of a framework: ``train``, ``curve``, ``generate``, ``classify``."""
    return fairseq_run if run.framework == "fairseq" else hf_run


def train(run: Run, threads: int, step: Step) -> None:
    """Train all unfinished stages; interrupted stages resume.

    Args:
        run: the run to train.
        threads: the number of threads; with one, the losses can be repeated exactly.
        step: takes a title and returns a function for the progress.

    Raises:
        RecipeError: if the folder contains a run with other settings.
    """
    _claim(run)
    step = kept(step, run.folder / PROGRESS)
    for stage in run.stages():
        tell = step(f"{_name(run)}: {stage.stage.task}")
        if not _finished(stage).exists():
            watch = Stopwatch(stage.folder / "seconds.json")
            side(run).train(stage, threads, _timed(tell, watch))
            watch.keep()
            write(_finished(stage), "")
        tell(1, 1, "")


def evaluate(run: Run, split: str, threads: int, step: Step) -> dict[str, Any]:
    """Generate text or classes for a split with the best model, write them, and score them.

    Returns:
        The scores by name, and signatures if there are any.

    Raises:
        RecipeError: if the run is not trained.
    """
    last = [*run.stages()][-1]
    if not _finished(last).exists():
        raise RecipeError(f"{run.folder} is not trained; run\n  {command(run)}")
    tell = kept(step, run.folder / PROGRESS)(f"{_name(run)}: {split}")
    if run.recipe.generation.delays:
        return latency.evaluate(last, split, threads, tell)
    label = last.stage.task == "classification"
    predict = side(run).classify if label else side(run).generate
    outputs = predict(last, split, threads, tell)
    tell(1, 1, "")
    write(run.folder / f"{split}.out", "".join(f"{text}\n" for text in outputs))
    references = run.work.lines(split, run.recipe.columns[1])
    if label:
        return scores.classification(outputs, references)
    score = scores.summarization if run.recipe.metric.startswith("rouge") else scores.translation
    return score(outputs, references)


def record(run: Run, metrics: dict[str, Any], path: Path) -> None:
    """Add a scored run to a file of results."""
    stages = [*run.stages()]
    seconds = [float((stage.folder / "seconds.json").read_text()) for stage in stages]
    entry = {
        "recipe": run.recipe.name,
        "corpus": run.work.corpus,
        "framework": run.framework,
        "strategy": run.strategy,
        "seed": run.seed,
        "updates": sum(stage.stage.updates for stage in stages),
        "metrics": {name: value for name, value in metrics.items() if name != "signatures"},
        "signatures": metrics.get("signatures", {}),
        "curves": {stage.stage.task: _valid(side(run).curve(stage)) for stage in stages},
        "command": command(run),
        "versions": results.versions(),
        "seconds": round(sum(seconds)),
        "fingerprint": run.fingerprint,
    }
    results.add(path, entry)


def command(run: Run) -> str:
    """Return the command that trains this run."""
    return shlex.join(words(run, "train"))


def words(run: Run, step: str) -> list[str]:
    """Return the command of a step of a run as a list of words."""
    recipe, corpus = run.recipe, run.work.corpus
    command = ["python", "-m", "recipes", step, recipe.argument]
    command += ["--corpus", corpus] if corpus not in ("sample", recipe.corpora[0]) else []
    command += ["--sample"] if recipe.sample else []
    root = run.work.root
    command += ["--out", str(root)] if root != default(recipe.name, corpus) else []
    command += ["--framework", run.framework, "--strategy", run.strategy, "--seed", str(run.seed)]
    return [*command, "--threads", "1"]


def _valid(curve: Sequence[Point]) -> list[list[float]]:
    """Return pairs of update and validation loss."""
    return [[point.update, round(point.loss, 4)] for point in curve if point.valid]


def _name(run: Run) -> str:
    return f"{run.framework}, {run.strategy}, seed {run.seed}"


def _finished(stage: StageRun) -> Path:
    return stage.folder / "finished"


def _claim(run: Run) -> None:
    """Reserve a folder for the settings of a run, so that no other run resumes there."""
    mark = run.folder / "fingerprint.json"
    if mark.exists() and json.loads(mark.read_text()) != run.fingerprint:
        raise RecipeError(
            f"{run.folder} contains a run with other settings or other rows; delete it, or choose "
            "another --out"
        )
    write(mark, json.dumps(run.fingerprint))


def _timed(tell: Tell, watch: Stopwatch) -> Tell:
    def report(done: float, total: float, note: str) -> None:
        watch.keep()
        tell(done, total, note)

    return report
