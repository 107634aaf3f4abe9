"""Many runs, several at a time: each in a process of its own with one thread."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recipes.shared import results
from recipes.shared.errors import RecipeError
from recipes.shared.plan import Run
from recipes.shared.screen import console, moving

#: The steps of a run, each a command of its own.
STEPS = ("train", "evaluate")


@dataclass
class _Going:
    """A run and the process of the step that it is in."""

    run: Run
    commands: list[list[str]]
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.run.folder / "steps.log"

    def next(self) -> bool:
        """Go on to the next step when the last one has ended; False when there is none."""
        if self.process and self.process.poll() is None:
            return True
        if self.process and self.process.returncode:
            tail = "\n".join(self.log.read_text("utf-8").splitlines()[-15:])
            raise RecipeError(f"{self.run.folder}: failed; see {self.log}\n{tail}")
        if not self.commands:
            return False
        self.log.parent.mkdir(parents=True, exist_ok=True)
        now = os.environ | {"OMP_NUM_THREADS": "1"}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.commands.pop(0), env=now, stdout=log, stderr=log)
        return True


def compare(runs: Sequence[Run], path: Path, jobs: int) -> None:
    """Train and score runs that the results do not hold yet, in their order.

    Args:
        runs: of one recipe and one workspace.
        path: of the results.
        jobs: how many at a time.

    Raises:
        RecipeError: when a run fails, with the end of its log; the others are stopped, and go on
            from their checkpoints next time.
    """
    corpus = runs[0].work.corpus
    left = [run for run in runs if not results.done(path, run)]
    waiting = [_Going(run, _commands(run, path)) for run in left]
    going: list[_Going] = []
    with moving() as step:
        tell = step(f"{runs[0].recipe.title}, {corpus}: {len(runs)} runs")
        try:
            while waiting or going:
                while waiting and len(going) < jobs:
                    going.append(waiting.pop(0))
                for each in [*going]:
                    if not each.next():
                        going.remove(each)
                        console.print(f"[green]✓[/] {_name(each.run)}")
                doing = ", ".join(_name(each.run) for each in going)
                tell(len(runs) - len(waiting) - len(going), len(runs), doing)
                time.sleep(0.5)
        finally:
            for each in going:
                if each.process and each.process.poll() is None:
                    each.process.terminate()


def _name(run: Run) -> str:
    return f"{run.framework} {run.strategy} {run.seed}"


def _commands(run: Run, path: Path) -> list[list[str]]:
    common = [run.recipe.asked, "--out", str(run.work.root), "--framework", run.framework]
    common += ["--strategy", run.strategy, "--seed", str(run.seed), "--threads", "1"]
    common += ["--sample"] if run.recipe.sample else []
    made = [[sys.executable, "-m", "recipes", step, *common] for step in STEPS]
    made[-1] += ["--results", str(path)]
    return made
