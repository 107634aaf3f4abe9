"""What all masked datasets share: rows get a time when they are loaded, masks when collated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from fairseq.data import BaseWrapperDataset

from maskplug import Masked, Ragged, Strategy, TokenBatch, Vocabulary
from maskplug.rng import Feedback
from maskplug.schedule import progress_at
from maskplug.types import IntArray, UintArray
from maskplug_fairseq.epoch import Sample
from maskplug_fairseq.loaded import joined


class MaskedDataset(BaseWrapperDataset):  # type: ignore[misc]
    """Masks the batches of a dataset of items (dicts); everything else is the wrapped dataset's.

    Subclasses say in ``collater`` what is masked and what becomes of it. Batches are masked while
    they are collated, in whichever process that is.

    Args:
        dataset: what is wrapped; neither it nor its items are changed.
        strategy: what masks.
        seed: from 0 to 2**64 - 1.
        max_epoch: the number of epochs, for schedules; 0 where none needs it.
        frozen: whether rows are masked as at the very start of training, whatever the epoch.
    """

    def __init__(
        self,
        dataset: Any,
        strategy: Strategy,
        seed: int = 0,
        max_epoch: int = 0,
        frozen: bool = False,
    ) -> None:
        super().__init__(dataset)
        self.strategy = strategy
        self.seed = seed
        self.max_epoch = max_epoch
        self.frozen = frozen
        #: The losses that an adaptive strategy follows; the task sets it.
        self.feedback: Feedback | None = None
        # Shared, so that set_epoch reaches workers that are running already. It serves those who
        # load rows by plain number; the task's batches carry their own time.
        epoch = torch.ones(1, dtype=torch.int64)
        self._epoch = epoch.share_memory_()  # type: ignore[no-untyped-call]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "dataset" not in self.__dict__:  # while it is unpickled
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.dataset, name)

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch, counted from 1 as fairseq does, for rows loaded by plain number."""
        super().set_epoch(epoch)
        self._epoch[0] = epoch

    def __getitem__(self, index: int | Sample) -> dict[str, Any]:
        row, moment = self.timed(index)
        return {**self.dataset[row], "moment": moment}

    def timed(self, index: int | Sample) -> tuple[int, tuple[int, int]]:
        """The row that an index means, and its moment: the epoch and the step, from 0."""
        if self.frozen:
            return (index.row if isinstance(index, Sample) else index), (0, 0)
        if isinstance(index, Sample):
            return index.row, (index.epoch, index.step)
        return index, (int(self._epoch[0]) - 1, 0)

    def num_tokens_vec(self, indices: Any) -> Any:
        """The wrapped dataset's answer."""
        return self.dataset.num_tokens_vec(indices)

    def mask(
        self,
        rows: Sequence[torch.Tensor],
        keys: UintArray,
        moments: IntArray,
        vocab: Vocabulary,
    ) -> Masked:
        """Mask rows of ids.

        Args:
            rows: one tensor of int64 ids a sample.
            keys: of the samples.
            moments: int64, shape (samples, 2): the epoch and the step of each, counted from 0.
            vocab: the vocabulary of the ids.
        """
        return self.mask_tokens(TokenBatch.from_flat(*joined(rows), keys), moments, vocab)

    def mask_tokens(self, tokens: TokenBatch, moments: IntArray, vocab: Vocabulary) -> Masked:
        """Mask a batch of tokens; see :meth:`mask`."""
        epochs, steps = moments.T
        progress = {epoch: progress_at(epoch, self.max_epoch) for epoch in set(epochs.tolist())}
        return self.strategy(
            tokens,
            vocab,
            seed=self.seed,
            epoch=epochs,
            step=steps,
            progress=np.array([progress[epoch] for epoch in epochs.tolist()]),
            feedback=self.feedback,
        )


def split_moments(samples: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], IntArray]:
    """Copies of items without their moments, and the moments: int64, shape (samples, 2)."""
    items = [dict(sample) for sample in samples]
    moments = np.array([item.pop("moment") for item in items], np.int64)
    return items, moments.reshape(-1, 2)


def tensors(rows: Ragged) -> tuple[torch.Tensor, ...]:
    """The rows as tensors that share nothing with what they were made from."""
    return torch.split(torch.tensor(rows.values), rows.lengths.tolist())


def shifted(targets: Ragged, heads: IntArray | int) -> Ragged:
    """The rows moved by one token to the right, behind their heads: what a decoder reads.

    Example:
        >>> shifted(Ragged(np.array([5, 6, 2]), np.array([0, 2, 3])), 9).to_lists()
        [[9, 5], [9]]
    """
    moved = np.roll(targets.values, 1)
    there = targets.lengths > 0
    moved[targets.offsets[:-1][there]] = heads if np.ndim(heads) == 0 else np.asarray(heads)[there]
    return Ragged(moved, targets.offsets)
