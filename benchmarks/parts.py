"""What ``make bench`` runs, in this order."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from benchmarks.comparison import Comparison


@dataclass(frozen=True)
class Part:
    """A module of measurements; imported only when it runs.

    Args:
        name: on the command line and in the results.
        about: what it measures, as a heading.
        module: where ``comparisons(small)`` or ``measure(small)`` is.
        needs: the distributions that it imports beside the core's.
    """

    name: str
    about: str
    module: str
    needs: tuple[str, ...] = ()

    @property
    def missing(self) -> list[str]:
        """What it needs and is not installed."""
        return [name for name in self.needs if installed(name) is None]


class Peer(Part):
    """Comparisons with a peer; they go into one table."""

    def comparisons(self, small: bool) -> Iterator[Comparison]:
        """Its comparisons, made one by one."""
        found: Iterator[Comparison] = importlib.import_module(self.module).comparisons(small)
        return found


class Measurement(Part):
    """Anything else; it has a section of the results to itself."""

    def measure(self, small: bool) -> dict[str, Any]:
        """Its figures."""
        found: dict[str, Any] = importlib.import_module(self.module).measure(small)
        return found


def installed(distribution: str) -> str | None:
    """The version of a distribution, None where there is none."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


HF, FAIRSEQ, MEGATRON = ("torch", "transformers"), ("torch", "fairseq-fixed"), ("megatron-core",)
ARROW = (*HF, "datasets")
PARTS: tuple[Peer | Measurement, ...] = (
    Peer(
        "transformers", "transformers' collators", "benchmarks.peers.transformers_collators", ARROW
    ),
    Peer("fairseq", "fairseq's data sets", "benchmarks.peers.fairseq_datasets", FAIRSEQ),
    Peer("megatron", "Megatron's data sets", "benchmarks.peers.megatron_datasets", MEGATRON),
    Measurement("objectives", "Every strategy, 32 × 512", "benchmarks.objectives"),
    Measurement("memory-speed", "How near to memory speed", "benchmarks.memory_speed"),
    Measurement("stages", "What costs what in dynamic", "benchmarks.stages"),
    Measurement("collator", "What costs what in the collator", "benchmarks.collator_stages", HF),
    Measurement("growth", "Growth with rows, length and rate", "benchmarks.growth"),
    Measurement("start-up", "Until the first batch", "benchmarks.start_up"),
    Measurement(
        "training", "Masking's share of a training step", "benchmarks.training", (*ARROW, *FAIRSEQ)
    ),
    Measurement("loading", "A DataLoader with workers", "benchmarks.loading", ARROW),
    Measurement("attention", "BlockMask, against create_block_mask", "benchmarks.attention", HF),
    Measurement("epochs", "Equal masks in epochs 1 and 2", "benchmarks.fairseq_epochs", FAIRSEQ),
)
