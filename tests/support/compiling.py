"""Find out what is compiled: in new processes, in workers, and after kernels are reset."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskplug.kernels.compilation import kernels, watched

TESTS = Path(__file__).parents[1]


@dataclass
class Watched:
    """A collate function that returns its process, and the kernels compiled for a batch."""

    collate: Callable[[Any], Any]

    def __call__(self, samples: Any) -> dict[str, Any]:
        with watched() as compiled:
            self.collate(samples)
        return {"process": os.getpid(), "compiled": [one.name for one in compiled]}


def gathered(loader: Any) -> dict[str, Any]:
    """Return the processes of a loader with a Watched collate function, and their kernels."""
    batches = list(loader)
    return {
        "processes": sorted({batch["process"] for batch in batches} - {os.getpid()}),
        "compiled": [name for batch in batches for name in batch["compiled"]],
    }


def kept(folder: str) -> list[str]:
    """Return the files of a kernel cache."""
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*.nb?"))


def run(*command: str, cache: Path | str | None = None, **env: str) -> Any:
    """Return what a Python process prints as JSON; ``cache`` is the folder of its kernels."""
    process = start(*command, cache=cache, **env)
    out, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    return json.loads(out.splitlines()[-1])


def start(*command: str, cache: Path | str | None = None, **env: str) -> subprocess.Popen[str]:
    """Start a Python process that can import the helpers of the tests."""
    folders = [str(TESTS), os.environ.get("PYTHONPATH", "")]
    env = {**os.environ, **env, "PYTHONPATH": os.pathsep.join(folders)}
    if cache is not None:
        env["NUMBA_CACHE_DIR"] = str(cache)
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
    )


@contextmanager
def no_kernel_needed() -> Iterator[None]:
    """Fail if a kernel is called that was not called since :func:`forget`."""
    before = _signatures()
    yield
    needed = _signatures() - before
    assert not needed, needed


def forget() -> None:
    """Reset every kernel, so that the next call loads it from the cache."""
    for kernel in kernels().values():
        kernel._reset_overloads()


def _signatures() -> set[tuple[str, str]]:
    return {(name, str(s)) for name, kernel in kernels().items() for s in kernel.signatures}
