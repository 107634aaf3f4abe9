"""Many runs, several at a time: each in a process of its own with one thread."""

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

    def told(self) -> dict[str, Any]:
        """How far the step is, as it wrote down itself."""
        path = self.run.folder / steps.PROGRESS
        if not path.exists():
            return {"description": _name(self.run)}
        title, done, total, note = json.loads(path.read_text("utf-8"))
        return {"description": title, "completed": done, "total": total, "note": note}

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
    left = [run for run in runs if not results.done(path, run)]
    waiting = [_Going(run, _commands(run, path)) for run in left]
    going: dict[TaskID, _Going] = {}
    with bars() as progress:
        title = f"{runs[0].recipe.title}, {runs[0].work.corpus}: {len(runs)} runs"
        whole = progress.add_task(title, total=len(runs), note="")
        try:
            while waiting or going:
                while waiting and len(going) < jobs:
                    going[progress.add_task("", total=None, note="")] = waiting.pop(0)
                for task, each in [*going.items()]:
                    if each.next():
                        progress.update(task, **each.told())
                    else:
                        del going[task]
                        progress.remove_task(task)
                        progress.console.print(f"[green]✓[/] {_name(each.run)}")
                progress.update(whole, completed=len(runs) - len(waiting) - len(going))
                time.sleep(0.5)
        finally:
            for each in going.values():
                if each.process and each.process.poll() is None:
                    each.process.terminate()


def _name(run: Run) -> str:
    return f"{run.framework} {run.strategy} {run.seed}"


def _commands(run: Run, path: Path) -> list[list[str]]:
    made = [[sys.executable, *steps.words(run, step)[1:]] for step in STEPS]
    made[-1] += ["--results", str(path)]
    return made
