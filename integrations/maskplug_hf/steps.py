"""Steps travel with the samples: a sampler that stamps each index with its optimizer step."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from torch.utils.data import BatchSampler

from maskplug.errors import OptionError
from maskplug.schedule import progress_at
from maskplug_hf.moment import Moment


class StepSampler:
    """Another sampler's indices as (index, step, progress).

    The position in the epoch says which optimizer step a sample belongs to, whatever worker loads
    it ahead of time, and also when a resumed run skips the first batches. Samples that accelerate
    repeats to fill the last batch of several processes keep the step at which they came first.

    Args:
        sampler: the original.
        moment: where the epoch is read, at the start of each pass.
        samples_per_step: over all processes and accumulated batches.
        steps_per_epoch: optimizer steps.
        max_steps: optimizer steps of the whole training.
    """

    def __init__(
        self,
        sampler: Any,
        moment: Moment,
        samples_per_step: int,
        steps_per_epoch: int,
        max_steps: int,
    ) -> None:
        self.sampler = sampler
        self.moment = moment
        self.samples_per_step = samples_per_step
        self.steps_per_epoch = steps_per_epoch
        self.max_steps = max_steps

    def __iter__(self) -> Iterator[tuple[Any, int, float]]:
        first = (self.moment.epoch or 0) * self.steps_per_epoch
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
    """The number of optimizer steps of an epoch, at least 1."""
    return max(math.ceil(len(dataloader) / accumulation), 1)


def stamp_steps(dataloader: Any, moment: Moment, accumulation: int, max_steps: int) -> None:
    """Make a Trainer's prepared dataloader stamp its indices with their steps.

    Raises:
        OptionError: when the dataloader does not sample index by index.
    """
    outer = getattr(dataloader, "batch_sampler", None)
    inner = getattr(outer, "batch_sampler", outer)  # accelerate deals the batches to the processes
    shared = inner is outer or getattr(outer, "split_batches", False)
    processes = 1 if shared else getattr(outer, "num_processes", 1)
    if type(inner) is not BatchSampler or dataloader.__class__.__name__ == "DataLoaderDispatcher":
        raise OptionError(
            "masks by step need a dataloader that samples index by index, and this one uses "
            f"{type(inner).__name__}: train with another train_sampling_strategy and without "
            "dispatch_batches, or choose a clock that counts epochs"
        )
    inner.sampler = StepSampler(  # type: ignore[assignment]
        inner.sampler,
        moment,
        samples_per_step=inner.batch_size * processes * accumulation,
        steps_per_epoch=steps_per_epoch(dataloader, accumulation),
        max_steps=max_steps,
    )
