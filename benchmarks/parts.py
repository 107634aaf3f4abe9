"""The parts of ``make bench``, in their order."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from benchmarks.timing import compare

Row = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """Measurements that are run and stored together.

    Args:
        name: on the command line and in the results.
        about: the heading.
        function: ``module:function`` in this package. It takes ``small`` and returns rows; in a
            peer it yields comparisons.
        needs: required distributions besides those of the core.
        peer: whether the function yields comparisons with another library.
    """

    name: str
    about: str
    function: str
    needs: tuple[str, ...] = ()
    peer: bool = False

    @property
    def missing(self) -> list[str]:
        """The required distributions that are not installed."""
        return [name for name in self.needs if installed(name) is None]

    def measure(self, small: bool, rounds: int) -> list[Row]:
        """Return the rows of this part; without peak memory in the small form."""
        module, _, name = self.function.partition(":")
        measured = getattr(importlib.import_module(f"benchmarks.{module}"), name)(small)
        return [compare(c, rounds, memory=not small) for c in measured] if self.peer else measured


def installed(distribution: str) -> str | None:
    """Return the version of a distribution, or None if it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


HF, FAIRSEQ = ("torch", "transformers", "datasets"), ("torch", "fairseq-fixed")
PARTS = (
    Part("transformers", "Collators of transformers", "peers.transformers_collators:comparisons",
         HF, peer=True),
    Part("fairseq", "Datasets of fairseq", "peers.fairseq_datasets:comparisons", FAIRSEQ,
         peer=True),
    Part("megatron", "Datasets of Megatron-core", "peers.megatron_datasets:comparisons",
         ("megatron-core",), peer=True),
    Part("objectives", "Every strategy, 32 × 512", "core:objectives"),
    Part("memory-speed", "Strategies compared with copying memory", "core:memory_speed"),
    Part("stages", "Stages of the strategy dynamic", "core:stages"),
    Part("collator", "Stages of the collator", "collator_stages:measure", HF),
    Part("growth", "Growth with rows, length and rate", "growth:measure"),
    Part("start-up", "Time to the first batch", "start_up:measure"),
    Part("training", "Share of masking in a training step", "training:measure", HF + FAIRSEQ),
    Part("loading", "DataLoader with workers", "loading:measure", HF),
    Part("attention", "BlockMask, compared with create_block_mask", "attention:measure", HF),
    Part("epochs", "Equal masks in epochs 1 and 2", "fairseq_epochs:measure", FAIRSEQ),
)  # fmt: skip
