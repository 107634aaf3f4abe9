"""What a training run is, and the clock that looks into its steps."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch

from benchmarks.wordpiece import WORDS

#: Steps that are not counted: everything is compiled and allocated in the first one.
WARM = 1


@dataclass(frozen=True)
class Shape:
    """A model, its batches, and how many steps are counted."""

    layers: int
    hidden: int
    heads: int
    steps: int
    rows: int = 8
    length: int = 128
    words: int = WORDS

    @property
    def tokens(self) -> int:
        """Of a batch."""
        return self.rows * self.length

    @property
    def all_steps(self) -> int:
        """With those that are not counted."""
        return self.steps + WARM

    @property
    def samples(self) -> int:
        """Enough for all steps in one epoch, and for loaders that are a batch ahead."""
        return self.rows * (self.all_steps + 2)


@dataclass(frozen=True)
class Spent:
    """Seconds that a step takes for masking, and for everything else."""

    masking: float
    rest: float


def device() -> str:
    """Where the model is."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


@contextmanager
def all_cores() -> Iterator[None]:
    """Let torch compute with every core of the machine for a while."""
    threads = torch.get_num_threads()
    torch.set_num_threads(os.cpu_count() or 1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@dataclass
class Clock:
    """Notes when steps end, and the time that masking has taken until then."""

    _masked: float = 0.0
    _marks: list[tuple[float, float]] = field(default_factory=list)

    @contextmanager
    def masking(self) -> Iterator[None]:
        """Around everything that counts as masking."""
        begun = time.perf_counter()
        yield
        self._masked += time.perf_counter() - begun

    def step_ended(self) -> None:
        """To be called at the end of every step."""
        if torch.cuda.is_available():  # whose work is not done when Python's is
            torch.cuda.synchronize()
        self._marks.append((time.perf_counter(), self._masked))

    def spent(self) -> Spent:
        """The least of the steps that count: a busy machine only ever adds."""
        spans = [
            (after[1] - before[1], after[0] - before[0])
            for before, after in itertools.pairwise(self._marks[WARM - 1 :])
        ]
        return Spent(
            masking=min(masking for masking, _ in spans),
            rest=min(step - masking for masking, step in spans),
        )
