"""train and evaluate: a run from prepared rows to its entry in results.json."""

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

#: Where a run's folder says how far it is.
PROGRESS = "progress.json"


def side(run: Run) -> ModuleType:
    """The framework's half of the steps: ``train``, ``curve``, ``generate``, ``classify``."""
    return fairseq_run if run.framework == "fairseq" else hf_run


def train(run: Run, threads: int, step: Step) -> None:
    """Train all stages that are not finished, each from where it was interrupted.

    Args:
        run: what to train.
        threads: to compute with; one repeats the same losses exactly.
        step: gets a title and gives what hears of the progress.

    Raises:
        RecipeError: when a folder holds a run of other settings.
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
    """Generate or classify a split with the best model, write that down, and score it.

    Returns:
        The scores, by name, and signatures where there are any.

    Raises:
        RecipeError: when the run is not trained.
    """
    last = [*run.stages()][-1]
    if not _finished(last).exists():
        raise RecipeError(f"{run.folder}: not trained yet: the command is\n  {command(run)}")
    tell = kept(step, run.folder / PROGRESS)(f"{_name(run)}: {split}")
    if run.recipe.generation.delays:
        return latency.evaluate(last, split, threads, tell)
    label = last.stage.task == "classification"
    make = side(run).classify if label else side(run).generate
    made = make(last, split, threads, tell)
    tell(1, 1, "")
    write(run.folder / f"{split}.out", "".join(f"{text}\n" for text in made))
    references = run.work.lines(split, run.recipe.columns[1])
    if label:
        return scores.classification(made, references)
    score = scores.summarization if run.recipe.metric.startswith("rouge") else scores.translation
    return score(made, references)


def record(run: Run, metrics: dict[str, Any], path: Path) -> None:
    """Write a scored run to a file of results."""
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
    """What a user types to train this run."""
    return shlex.join(words(run, "train"))


def words(run: Run, step: str) -> list[str]:
    """The command of one of a run's steps, word by word."""
    recipe, corpus = run.recipe, run.work.corpus
    made = ["python", "-m", "recipes", step, recipe.asked]
    made += ["--corpus", corpus] if corpus not in ("sample", recipe.corpora[0]) else []
    made += ["--sample"] if recipe.sample else []
    made += ["--out", str(run.work.root)] if run.work.root != default(recipe.name, corpus) else []
    made += ["--framework", run.framework, "--strategy", run.strategy, "--seed", str(run.seed)]
    return [*made, "--threads", "1"]


def _valid(curve: Sequence[Point]) -> list[list[float]]:
    """The validation losses of a learning curve: pairs of update and loss."""
    return [[point.update, round(point.loss, 4)] for point in curve if point.valid]


def _name(run: Run) -> str:
    return f"{run.framework}, {run.strategy}, seed {run.seed}"


def _finished(stage: StageRun) -> Path:
    return stage.folder / "finished"


def _claim(run: Run) -> None:
    """A folder belongs to one set of settings, so that nobody goes on with what others began."""
    mark = run.folder / "fingerprint.json"
    if mark.exists() and json.loads(mark.read_text()) != run.fingerprint:
        raise RecipeError(
            f"{run.folder} holds a run of other settings or other rows; delete it, or use another "
            "--out"
        )
    write(mark, json.dumps(run.fingerprint))


def _timed(tell: Tell, watch: Stopwatch) -> Tell:
    def told(done: float, total: float, note: str) -> None:
        watch.keep()
        tell(done, total, note)

    return told
