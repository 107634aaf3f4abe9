"""Run programs and steps: their output, progress and time."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from recipes.shared.errors import RecipeError
from recipes.shared.workspace import write

#: Receives the progress of a step: the amount done, the total, and a note.
Tell = Callable[[float, float, str], None]
#: Begins a step with a title.
Step = Callable[[str], Tell]


def kept(step: Step, path: Path) -> Step:
    """Return a step that also writes its progress to a file, for other processes."""

    def begin(title: str) -> Tell:
        tell = step(title)

        def report(done: float, total: float, note: str) -> None:
            write(path, json.dumps([title, done, total, note]))
            tell(done, total, note)

        return report

    return begin


def lines_of(command: list[str], log: Path, threads: int) -> Iterator[str]:
    """Yield the lines that a program prints, and append them to a log.

    Raises:
        RecipeError: if the program fails, with the last lines.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    env = os.environ | {"PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": str(threads)}
    with (
        log.open("a") as record,
        subprocess.Popen(
            command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                record.write(line)
                record.flush()
                yield line
        except BaseException:
            process.terminate()  # an interrupted step must not leave a program running
            raise
    if process.returncode:
        tail = "".join(log.read_text().splitlines(keepends=True)[-15:])
        raise RecipeError(f"{Path(command[0]).name} failed; see {log}\n{tail}")


@dataclass
class Stopwatch:
    """The seconds that a step has computed, including those before interruptions.

    They are the processor time of this process and of its finished children. With one thread, this
    is the duration of the step on an idle machine.

    Args:
        path: the file of the seconds.
    """

    path: Path
    before: float = field(init=False)
    begun: float = field(init=False)

    def __post_init__(self) -> None:
        self.before = json.loads(self.path.read_text()) if self.path.exists() else 0.0
        self.begun = _computed()

    @property
    def seconds(self) -> float:
        """The seconds so far."""
        return self.before + _computed() - self.begun

    def keep(self) -> None:
        """Write the seconds to the file."""
        write(self.path, f"{self.seconds:.1f}")


def _computed() -> float:
    return sum(os.times()[:4])
