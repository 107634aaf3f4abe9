"""Train and score several runs in parallel, each in its own process with one thread."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import TaskID

from recipes.shared import results, steps
from recipes.shared.errors import RecipeError
from recipes.shared.plan import Run
from recipes.shared.screen import bars

#: The steps of a run, each of which is a command.
STEPS = ("train", "evaluate")


@dataclass
class _RunProcess:
    """A run and the process of its current step."""

    run: Run
    commands: list[list[str]]
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.run.folder / "steps.log"

    def progress(self) -> dict[str, Any]:
        """Return the progress that the step wrote to a file."""
        path = self.run.folder / steps.PROGRESS
        if not path.exists():
            return {"description": _name(self.run)}
        title, done, total, note = json.loads(path.read_text("utf-8"))
        return {"description": title, "completed": done, "total": total, "note": note}

    def next(self) -> bool:
        """Start the next step if the last one has ended; return False if there is none."""
        if self.process and self.process.poll() is None:
            return True
        if self.process and self.process.returncode:
            tail = "\n".join(self.log.read_text("utf-8").splitlines()[-15:])
            raise RecipeError(f"{self.run.folder}: failed; see {self.log}\n{tail}")
        if not self.commands:
            return False
        self.log.parent.mkdir(parents=True, exist_ok=True)
        env = os.environ | {"OMP_NUM_THREADS": "1"}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.commands.pop(0), env=env, stdout=log, stderr=log)
        return True


def compare(runs: Sequence[Run], path: Path, jobs: int) -> None:
    """Train and score the runs that have no results yet, in their order.

    Args:
        runs: of one recipe and one workspace.
        path: the file of results.
        jobs: the number of parallel runs.

    Raises:
        RecipeError: if a run fails, with the end of its log; the other runs are stopped, and
            resume from their checkpoints next time.
    """
    remaining = [run for run in runs if not results.done(path, run)]
    waiting = [_RunProcess(run, _commands(run, path)) for run in remaining]
    active: dict[TaskID, _RunProcess] = {}
    with bars() as progress:
        title = f"{runs[0].recipe.title}, {runs[0].work.corpus}: {len(runs)} runs"
        whole = progress.add_task(title, total=len(runs), note="")
        try:
            while waiting or active:
                while waiting and len(active) < jobs:
                    active[progress.add_task("", total=None, note="")] = waiting.pop(0)
                for task, each in [*active.items()]:
                    if each.next():
                        progress.update(task, **each.progress())
                    else:
                        del active[task]
                        progress.remove_task(task)
                        progress.console.print(f"[green]✓[/] {_name(each.run)}")
                progress.update(whole, completed=len(runs) - len(waiting) - len(active))
                time.sleep(0.5)
        finally:
            for each in active.values():
                if each.process and each.process.poll() is None:
                    each.process.terminate()


def _name(run: Run) -> str:
    return f"{run.framework} {run.strategy} {run.seed}"


def _commands(run: Run, path: Path) -> list[list[str]]:
    commands = [[sys.executable, *steps.words(run, step)[1:]] for step in STEPS]
    commands[-1] += ["--results", str(path)]
    return commands
