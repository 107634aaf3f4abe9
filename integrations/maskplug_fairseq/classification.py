"""The task ``maskplug_classification``: sentence classification with a masked training split."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from fairseq.data import SortDataset
from fairseq.tasks import register_task
from fairseq.tasks.sentence_prediction import SentencePredictionTask

from maskplug import Strategy, TokenBatch, Vocabulary
from maskplug_fairseq.dataset import MaskedDataset, split_rows, split_times
from maskplug_fairseq.options import MaskplugClassificationConfig
from maskplug_fairseq.rows import concatenate
from maskplug_fairseq.task import MaskingTask

TOKENS = "net_input.src_tokens"
DECODER_INPUT = "net_input.prev_output_tokens"


class MaskedSentencesDataset(MaskedDataset):
    """Mask the inputs of fairseq's ``sentence_prediction``; labels stay unchanged.

    The key of a sample is its row number. Of a strategy's output only the inputs are used; they
    may have any length. See ``MaskedDataset`` for the options.
    """

    def __init__(self, dataset: Any, strategy: Strategy, vocab: Vocabulary, **options: Any) -> None:
        super().__init__(_with_room(dataset, strategy), strategy, **options)
        self.vocab = vocab

    def collater(self, samples: list[dict[str, Any]]) -> dict[str, Any]:
        """Mask a batch and collate it as the wrapped dataset does."""
        items, times = split_times(samples)
        if items:
            keys = np.array([item["id"] for item in items], np.uint64)
            tokens = TokenBatch(*concatenate([item[TOKENS] for item in items]), keys)
            inputs = self.mask(tokens, times, self.vocab).inputs
            for item, row in zip(items, split_rows(inputs), strict=True):
                item[TOKENS] = row
                item["net_input.src_lengths"] = item["ntokens"] = len(row)
                if DECODER_INPUT in item:
                    item[DECODER_INPUT] = torch.roll(row, 1)
        return self.dataset.collater(items)  # type: ignore[no-any-return]


def _with_room(dataset: Any, strategy: Strategy) -> Any:
    """Return the dataset with the maximum input sizes after masking."""
    nested = dataset.dataset if isinstance(dataset, SortDataset) else dataset
    sizes = np.asarray(nested.sizes[0], np.int64)
    longest = np.maximum(sizes, strategy.bounds(sizes)[0])
    if (longest == sizes).all():
        return dataset
    resized = copy.copy(nested)
    resized.sizes = [longest]
    if nested is dataset:
        return resized
    dataset = copy.copy(dataset)
    dataset.dataset = resized
    return dataset


@register_task("maskplug_classification", dataclass=MaskplugClassificationConfig)
class MaskplugClassificationTask(MaskingTask, SentencePredictionTask):  # type: ignore[misc]
    """fairseq's ``sentence_prediction`` with a masked training split; validation is unmasked.

    The key of a sample is its row number. ``--init-token`` and ``--separator-token`` are special.
    """

    def special_ids(self) -> list[int]:
        """Return the tokens before and between sentences."""
        tokens = (self.cfg.init_token, self.cfg.separator_token)
        return [token for token in tokens if token is not None]

    def feedback_unavailable_reason(self) -> str:
        """Refuse adaptive strategies."""
        return "a classifier predicts no tokens: use --task maskplug_masked_lm"

    def load_dataset(self, split: str, combine: bool = False, **kwargs: Any) -> Any:
        """Load a split; mask it if it is loaded for training."""
        super().load_dataset(split, combine=combine, **kwargs)
        if self.is_trained(split, kwargs):
            self.check_time()
            self.datasets[split] = MaskedSentencesDataset(
                self.datasets[split],
                vocab=self.masking_vocabularies["source"],
                **self.dataset_options,
            )
        return self.datasets[split]
