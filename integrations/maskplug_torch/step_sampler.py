"""A sampler that adds the optimizer step to each index, so that it travels with the sample."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from torch.utils.data import BatchSampler

from maskplug.errors import OptionError
from maskplug.schedule import progress_at
from maskplug_torch.shared_epoch import SharedEpoch


class StepSampler:
    """Yields another sampler's indices as (index, step, progress).

    The position in the epoch determines the optimizer step of a sample, whichever worker loads it
    ahead of time, and also when a resumed run skips the first batches. Samples that accelerate
    repeats to fill the last batch of several processes keep the step of their first occurrence.

    Args:
        sampler: the original.
        shared: where the epoch is read, at the start of each pass.
        samples_per_step: over all processes and accumulated batches.
        steps_per_epoch: optimizer steps.
        max_steps: optimizer steps of the whole training.
    """

    def __init__(
        self,
        sampler: Any,
        shared: SharedEpoch,
        samples_per_step: int,
        steps_per_epoch: int,
        max_steps: int,
    ) -> None:
        self.sampler = sampler
        self.shared = shared
        self.samples_per_step = samples_per_step
        self.steps_per_epoch = steps_per_epoch
        self.max_steps = max_steps

    def __iter__(self) -> Iterator[tuple[Any, int, float]]:
        first = (self.shared.epoch or 0) * self.steps_per_epoch
        for position, index in enumerate(self.sampler):
            step = first + min(position // self.samples_per_step, self.steps_per_epoch - 1)
            yield index, step, progress_at(step, self.max_steps)

    def __len__(self) -> int:
        return len(self.sampler)

    def __getattr__(self, name: str) -> Any:
        if name == "sampler":
            raise AttributeError(name)
        return getattr(self.sampler, name)  # accelerate calls its set_epoch


def steps_per_epoch(dataloader: Any, accumulation: int) -> int:
    """Return the number of optimizer steps of an epoch, at least 1."""
    return max(math.ceil(len(dataloader) / accumulation), 1)


def add_steps(dataloader: Any, shared: SharedEpoch, accumulation: int, max_steps: int) -> None:
    """Replace the sampler of a dataloader, prepared by accelerate or not, by a `StepSampler`.

    Raises:
        OptionError: when the dataloader does not sample index by index.
    """
    outer = getattr(dataloader, "batch_sampler", None)
    inner = getattr(outer, "batch_sampler", outer)  # accelerate assigns batches to processes
    whole = inner is outer or getattr(outer, "split_batches", False)
    processes = 1 if whole else getattr(outer, "num_processes", 1)
    if type(inner) is not BatchSampler or dataloader.__class__.__name__ == "DataLoaderDispatcher":
        raise OptionError(
            "masks by step need a dataloader that samples index by index, and this one uses "
            f"{type(inner).__name__}: train with another train_sampling_strategy and without "
            "dispatch_batches, or choose a clock that counts epochs"
        )
    inner.sampler = StepSampler(  # type: ignore[assignment]
        inner.sampler,
        shared,
        samples_per_step=inner.batch_size * processes * accumulation,
        steps_per_epoch=steps_per_epoch(dataloader, accumulation),
        max_steps=max_steps,
    )
