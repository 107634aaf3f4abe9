"""Mean and standard deviation over seeds, of whatever results there are."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from recipes.shared.results import Entry


@dataclass(frozen=True)
class Cell:
    """One score of one strategy, over its seeds.

    Args:
        values: one a seed.
    """

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return statistics.fmean(self.values)

    @property
    def deviation(self) -> float | None:
        """The standard deviation of a sample (n - 1); None for one seed."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None

    def __str__(self) -> str:
        return self.told()

    def told(self, sign: str = "-", digits: int = 1) -> str:
        """Mean ± standard deviation; with the sign ``+``, gains have one too; nothing is −0.0."""
        if not self.values:
            return "–"
        spread = "" if self.deviation is None else f" ± {self.deviation:.{digits}f}"
        return f"{self.mean:{sign}z.{digits}f}{spread}".replace("-", "−")


@dataclass(frozen=True)
class Group:
    """The runs of one recipe, corpus and framework at equal updates.

    Args:
        corpus, framework: of all of them.
        entries: theirs.
    """

    corpus: str
    framework: str
    entries: tuple[Entry, ...]

    @property
    def updates(self) -> str:
        """How many each run had."""
        return ", ".join(f"{n:,}" for n in sorted({entry["updates"] for entry in self.entries}))

    @property
    def seeds(self) -> str:
        """The seeds, and how many there are of each strategy where that differs."""
        counts = sorted({len(self.of(name)) for name in self.strategies(())})
        return "–".join(map(str, dict.fromkeys([counts[0], counts[-1]])))

    @property
    def minutes(self) -> float:
        """The mean time of a run's training."""
        return statistics.fmean(entry["seconds"] for entry in self.entries) / 60

    def of(self, strategy: str) -> list[Entry]:
        """The runs of one strategy."""
        return [entry for entry in self.entries if entry["strategy"] == strategy]

    def cell(self, strategy: str, metric: str) -> Cell:
        """A score of one strategy."""
        return Cell(tuple(self._scores(strategy, metric).values()))

    def loss(self, strategy: str, task: str) -> Cell:
        """The lowest loss on the validation rows in one stage: that of the checkpoint to go on."""
        curves = (entry["curves"].get(task) for entry in self.of(strategy))
        return Cell(tuple(min(loss for _, loss in curve) for curve in curves if curve))

    def gain(self, strategy: str, than: str, metric: str) -> Cell:
        """What one strategy has more than another, seed by seed, of the seeds that both have."""
        ours, theirs = self._scores(strategy, metric), self._scores(than, metric)
        return Cell(tuple(ours[seed] - theirs[seed] for seed in ours if seed in theirs))

    def _scores(self, strategy: str, metric: str) -> dict[int, float]:
        """By seed, of the runs that have one."""
        found = {entry["seed"]: entry["metrics"].get(metric) for entry in self.of(strategy)}
        return {seed: value for seed, value in found.items() if value is not None}

    def strategies(self, order: Iterable[str]) -> list[str]:
        """Those that there are, in this order, others behind."""
        there = dict.fromkeys(entry["strategy"] for entry in self.entries)
        known = [name for name in order if name in there]
        return [*known, *(name for name in there if name not in known)]

    def metrics(self) -> list[str]:
        """The scores that there are, as they were written."""
        return list(dict.fromkeys(name for entry in self.entries for name in entry["metrics"]))


def groups(entries: Sequence[Entry]) -> list[Group]:
    """The runs by corpus and framework, in their order."""
    named: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        named.setdefault((entry["corpus"], entry["framework"]), []).append(entry)
    return [Group(*name, tuple(found)) for name, found in named.items()]
