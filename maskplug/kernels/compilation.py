"""The kernels as machine code: which there are, where it is kept, and what compiling them takes."""

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
        name: ``"select.exact"``; numba's own have their full names.
        signature: the types of its arguments.
        seconds: that it took, without those of the functions that were compiled on the way.
    """

    name: str
    signature: str
    seconds: float

    @property
    def own(self) -> bool:
        """Whether it is one of maskplug's kernels."""
        return not self.name.startswith("numba.")


def kernels() -> dict[str, Any]:
    """All kernels as numba's dispatchers, by name (``"select.exact"``); imports numba."""
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
    """Everything that is compiled meanwhile, in the order in which it was done; imports numba.

    Kernels that are found on disk are not compiled.
    """
    from numba.core import event

    from maskplug import kernels as package

    done: list[Compilation] = []
    begun: list[float] = []
    inner: list[float] = [0.0]

    class Listener(event.Listener):
        def on_start(self, event: Any) -> None:
            begun.append(time.perf_counter())
            inner.append(0.0)

        def on_end(self, event: Any) -> None:
            taken = time.perf_counter() - begun.pop()
            own = taken - inner.pop()
            inner[-1] += taken
            function = event.data["dispatcher"].py_func
            name = f"{function.__module__}.{function.__name__}".removeprefix(f"{package.__name__}.")
            done.append(Compilation(name, str(event.data["args"]), own))

    with event.install_listener("numba:compile", Listener()):
        yield done


def folder() -> Path | None:
    """Where compiled kernels are kept; None where there is no folder that can be written to."""
    from maskplug.kernels.philox import block

    path = block.stats.cache_path  # type: ignore[attr-defined]
    return None if path is None else Path(path)


def kept(where: Path) -> int:
    """How many kernels are kept in a folder, by the files that list their signatures."""
    modules = {name.split(".")[0] for name in kernels()}
    return sum(file.name.split(".")[0] in modules for file in where.glob("*.nbi"))
