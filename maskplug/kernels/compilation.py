"""Compiled kernels: their names, their folder, and compilation times."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any


@dataclass(frozen=True)
class Compilation:
    """One kernel, or one of numba's own functions, compiled for one signature.

    Attributes:
        name: ``"select.exact"``; full names for numba's own functions.
        signature: types of its arguments.
        seconds: compilation time, without functions that were compiled on the way.
    """

    name: str
    signature: str
    seconds: float

    @property
    def is_maskplug(self) -> bool:
        """Whether it is one of maskplug's kernels."""
        return not self.name.startswith("numba.")


def kernels() -> dict[str, Any]:
    """Return all kernels as numba's dispatchers, by name (``"select.exact"``); imports numba."""
    from numba.core.dispatcher import Dispatcher

    from maskplug import kernels as package

    return {
        f"{info.name}.{name}": value
        for info in iter_modules(package.__path__)
        for name, value in vars(import_module(f"{package.__name__}.{info.name}")).items()
        if isinstance(value, Dispatcher) and value.__module__ == f"{package.__name__}.{info.name}"
    }


@contextmanager
def watched() -> Iterator[list[Compilation]]:
    """Yield a list that collects everything compiled in the context, in order; imports numba.

    Kernels that are loaded from disk are not compiled.
    """
    from numba.core import event

    from maskplug import kernels as package

    compilations: list[Compilation] = []
    started: list[float] = []
    inner: list[float] = [0.0]

    class Listener(event.Listener):
        def on_start(self, event: Any) -> None:
            started.append(time.perf_counter())
            inner.append(0.0)

        def on_end(self, event: Any) -> None:
            total = time.perf_counter() - started.pop()
            seconds = total - inner.pop()
            inner[-1] += total
            function = event.data["dispatcher"].py_func
            name = f"{function.__module__}.{function.__name__}".removeprefix(f"{package.__name__}.")
            compilations.append(Compilation(name, str(event.data["args"]), seconds))

    with event.install_listener("numba:compile", Listener()):
        yield compilations


def folder() -> Path | None:
    """Return the folder of compiled kernels; None if there is no writable one."""
    from maskplug.kernels.philox import block

    path = block.stats.cache_path  # type: ignore[attr-defined]
    return None if path is None else Path(path)


def kept(path: Path) -> int:
    """Return the number of kernels in a folder, by the files that list their signatures."""
    modules = {name.split(".")[0] for name in kernels()}
    return sum(file.name.split(".")[0] in modules for file in path.glob("*.nbi"))
