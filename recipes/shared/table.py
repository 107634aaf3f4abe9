"""Compute means and standard deviations of results over seeds."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from recipes.shared.results import Entry


@dataclass(frozen=True)
class Cell:
    """The scores of a strategy, one value per seed."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean over the seeds."""
        return statistics.fmean(self.values)

    @property
    def deviation(self) -> float | None:
        """The sample standard deviation (n - 1); None for one seed."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None

    def __str__(self) -> str:
        return self.text()

    def text(self, sign: str = "-", digits: int = 1) -> str:
        """Return mean ± standard deviation; ``sign="+"`` also marks gains; −0.0 becomes 0.0."""
        if not self.values:
            return "–"
        spread = "" if self.deviation is None else f" ± {self.deviation:.{digits}f}"
        return f"{self.mean:{sign}z.{digits}f}{spread}".replace("-", "−")


@dataclass(frozen=True)
class Group:
    """The runs of a recipe on one corpus in one framework."""

    corpus: str
    framework: str
    entries: tuple[Entry, ...]

    @property
    def updates(self) -> str:
        """The number of updates of each run."""
        return ", ".join(f"{n:,}" for n in sorted({entry["updates"] for entry in self.entries}))

    @property
    def seeds(self) -> str:
        """The number of seeds, as a range if it differs between strategies."""
        counts = sorted({len(self.of(name)) for name in self.strategies(())})
        return "–".join(map(str, dict.fromkeys([counts[0], counts[-1]])))

    @property
    def minutes(self) -> float:
        """The mean training time of a run."""
        return statistics.fmean(entry["seconds"] for entry in self.entries) / 60

    def of(self, strategy: str) -> list[Entry]:
        """Return the runs of a strategy."""
        return [entry for entry in self.entries if entry["strategy"] == strategy]

    def cell(self, strategy: str, metric: str) -> Cell:
        """Return the scores of a strategy."""
        return Cell(tuple(self._scores(strategy, metric).values()))

    def loss(self, strategy: str, task: str) -> Cell:
        """Return the lowest validation losses in a stage: those of the best checkpoints."""
        curves = (entry["curves"].get(task) for entry in self.of(strategy))
        return Cell(tuple(min(loss for _, loss in curve) for curve in curves if curve))

    def gain(self, strategy: str, than: str, metric: str) -> Cell:
        """Return the differences between two strategies for the seeds that both have."""
        ours, theirs = self._scores(strategy, metric), self._scores(than, metric)
        return Cell(tuple(ours[seed] - theirs[seed] for seed in ours if seed in theirs))

    def _scores(self, strategy: str, metric: str) -> dict[int, float]:
        """Return the scores by seed."""
        scores = {entry["seed"]: entry["metrics"].get(metric) for entry in self.of(strategy)}
        return {seed: value for seed, value in scores.items() if value is not None}

    def strategies(self, order: Iterable[str]) -> list[str]:
        """Return the strategies with results in this order, followed by the others."""
        existing = dict.fromkeys(entry["strategy"] for entry in self.entries)
        known = [name for name in order if name in existing]
        return [*known, *(name for name in existing if name not in known)]

    def metrics(self) -> list[str]:
        """Return the names of the scores in their order."""
        return list(dict.fromkeys(name for entry in self.entries for name in entry["metrics"]))


def groups(entries: Sequence[Entry]) -> list[Group]:
    """Group runs by corpus and framework, in their order."""
    named: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        named.setdefault((entry["corpus"], entry["framework"]), []).append(entry)
    return [Group(*name, tuple(runs)) for name, runs in named.items()]
