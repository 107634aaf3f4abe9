"""Sentences and pairs of sentences with a label, masked to train a classifier."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from fairseq.data import SortDataset

from maskplug import Strategy, Vocabulary
from maskplug_fairseq.dataset import MaskedDataset, split_moments, tensors

TOKENS = "net_input.src_tokens"
SHIFTED = "net_input.prev_output_tokens"


class MaskedSentencesDataset(MaskedDataset):
    """Masks the inputs of fairseq's ``sentence_prediction``; labels are left alone.

    The key of a sample is its row number. Only a strategy's inputs are used, at any length.

    Args:
        dataset: what ``SentencePredictionTask.load_dataset`` makes; it is not changed.
        strategy: what masks.
        vocab: the vocabulary of the inputs.
        options: further arguments of ``MaskedDataset``.
    """

    def __init__(self, dataset: Any, strategy: Strategy, vocab: Vocabulary, **options: Any) -> None:
        super().__init__(_roomy(dataset, strategy), strategy, **options)
        self.vocab = vocab

    def collater(self, samples: list[dict[str, Any]]) -> dict[str, Any]:
        """Mask a batch, then let the wrapped dataset collate it."""
        items, moments = split_moments(samples)
        if items:
            keys = np.array([item["id"] for item in items], np.uint64)
            masked = self.mask([item[TOKENS] for item in items], keys, moments, self.vocab)
            for item, row in zip(items, tensors(masked.inputs), strict=True):
                item[TOKENS] = row
                item["net_input.src_lengths"] = item["ntokens"] = len(row)
                if SHIFTED in item:
                    item[SHIFTED] = torch.roll(row, 1)
        return self.dataset.collater(items)  # type: ignore[no-any-return]


def _roomy(dataset: Any, strategy: Strategy) -> Any:
    """The dataset, with sizes that hold after masking."""
    nested = dataset.dataset if isinstance(dataset, SortDataset) else dataset
    sizes = np.asarray(nested.sizes[0], np.int64)
    longest = np.maximum(sizes, strategy.bounds(sizes)[0])
    if (longest == sizes).all():
        return dataset
    roomy = copy.copy(nested)
    roomy.sizes = [longest]
    if nested is dataset:
        return roomy
    outer = copy.copy(dataset)
    outer.dataset = roomy
    return outer
