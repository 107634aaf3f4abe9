"""Programs and stages while they run: their output, how far they are, how long they took."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from recipes.shared.errors import RecipeError
from recipes.shared.workspace import write

#: Hears how far a step is: what is done of how much, and a word on it.
Tell = Callable[[float, float, str], None]
#: Begins a step under a title.
Step = Callable[[str], Tell]


def kept(step: Step, path: Path) -> Step:
    """A step whose progress is also written to a file, for whoever watches from outside."""

    def begin(title: str) -> Tell:
        tell = step(title)

        def told(done: float, total: float, note: str) -> None:
            write(path, json.dumps([title, done, total, note]))
            tell(done, total, note)

        return told

    return begin


def lines_of(command: list[str], log: Path, threads: int) -> Iterator[str]:
    """The lines that a program prints, which are added to a log.

    Raises:
        RecipeError: with the last lines, when it fails.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    now = os.environ | {"PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": str(threads)}
    with (
        log.open("a") as record,
        subprocess.Popen(
            command, env=now, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                record.write(line)
                record.flush()
                yield line
        except BaseException:
            process.terminate()  # an interrupted step leaves no program behind
            raise
    if process.returncode:
        tail = "".join(log.read_text().splitlines(keepends=True)[-15:])
        raise RecipeError(f"{Path(command[0]).name} failed; see {log}\n{tail}")


@dataclass
class Stopwatch:
    """The seconds that a step has computed, over all of its interruptions.

    Time of processors, of this process and of its ended children: with one thread what the step
    takes on a machine that does nothing else. What an unfinished child has computed is not counted.

    Args:
        path: where they are kept.
    """

    path: Path
    before: float = field(init=False)
    begun: float = field(init=False)

    def __post_init__(self) -> None:
        self.before = json.loads(self.path.read_text()) if self.path.exists() else 0.0
        self.begun = _computed()

    @property
    def seconds(self) -> float:
        """So far."""
        return self.before + _computed() - self.begun

    def keep(self) -> None:
        """Write them down."""
        write(self.path, f"{self.seconds:.1f}")


def _computed() -> float:
    return sum(os.times()[:4])
