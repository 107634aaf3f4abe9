"""The task ``maskplug_masked_lm``: predict the masked tokens of a text in place."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from fairseq.tasks import register_task
from fairseq.tasks.masked_lm import MaskedLMTask

from maskplug import Masked, OptionError, TokenBatch, Vocabulary
from maskplug.collate import pad
from maskplug_fairseq.dataset import MaskedDataset
from maskplug_fairseq.options import MaskplugMaskedLMConfig
from maskplug_fairseq.rows import RowBatch, Rows, load_texts
from maskplug_fairseq.step_schedule import TimedBatch, TimedIndex
from maskplug_fairseq.task import MaskingTask


class MaskedRowsDataset(MaskedDataset):
    """Mask rows of text and collate them; see ``MaskedDataset`` for the options."""

    def __init__(self, dataset: Rows, vocab: Vocabulary, **options: Any) -> None:
        super().__init__(dataset, **options)
        assert vocab.pad_id is not None  # every fairseq dictionary has one
        self.vocab, self.pad_id = vocab, vocab.pad_id
        self.has_sentence_ends = vocab.sentence_end is not None and vocab.sentence_end.any()

    def __getitem__(self, index: int | TimedIndex) -> dict[str, Any]:
        return self.__getitems__([index])[0]  # type: ignore[no-any-return]

    def __getitems__(self, indices: Sequence[int | TimedIndex] | TimedBatch) -> Any:
        """Load the rows of a batch; called by torch's data loader."""
        if not len(indices):  # fairseq gives empty batches to ranks that have run out of data
            return []
        if isinstance(indices, TimedBatch) and not self.fixed_masks:
            times = np.full((len(indices), 2), (indices.epoch, indices.step))
            return self.dataset.load(np.asarray(indices.rows, np.int64), times)
        rows, row_times = zip(*map(self.time_of, indices), strict=True)
        return self.dataset.load(np.array(rows, np.int64), np.array(row_times, np.int64))

    def collater(self, samples: RowBatch | Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Mask and collate rows; return an empty dict for no rows."""
        if not len(samples):
            return {}
        rows = RowBatch.parse(samples)
        masked = self.mask(self._tokens(rows), rows.times, self.vocab)
        return self.collate(rows, masked)

    def _tokens(self, rows: RowBatch) -> TokenBatch:
        starts = rows.line_starts
        if starts is None or not self.has_sentence_ends:
            annotations = {} if starts is None else {"sentence_starts": starts}
            return TokenBatch(rows.ids, rows.offsets, rows.keys, annotations)
        tokens = TokenBatch(rows.ids, rows.offsets, rows.keys)
        return replace(
            tokens, annotations={"sentence_starts": starts | self.vocab.sentence_starts(tokens)}
        )

    @abstractmethod
    def collate(self, rows: RowBatch, masked: Masked) -> dict[str, Any]:
        """Return the batch that fairseq's criteria read."""


class MaskedLMDataset(MaskedRowsDataset):
    """Predict masked tokens in place; ``target`` is padding at all other tokens."""

    def collate(self, rows: RowBatch, masked: Masked) -> dict[str, Any]:
        """Return the batch that the criterion ``masked_lm`` reads."""
        assert masked.labels is not None  # checked by the task
        target = torch.from_numpy(pad(masked.labels, self.pad_id))
        return {
            "id": torch.tensor(rows.indices),
            "nsentences": len(rows),
            "ntokens": len(masked.inputs.values),
            "net_input": {
                "src_tokens": torch.from_numpy(pad(masked.inputs, self.pad_id)),
                "src_lengths": torch.tensor(masked.inputs.lengths),
            },
            "target": target.masked_fill_(target < 0, self.pad_id),
        }


@register_task("maskplug_masked_lm", dataclass=MaskplugMaskedLMConfig)
class MaskplugMaskedLMTask(MaskingTask, MaskedLMTask):  # type: ignore[misc]
    """fairseq's ``masked_lm`` with any strategy; checkpoints have the same form.

    The key of a sample is its row number. Validation and test sets are masked as well, in every
    epoch with the masks of epoch 0.
    """

    def check_result(self, masked: Masked) -> None:
        """Require labels in place, and no other outputs."""
        if masked.labels is None:
            raise OptionError(
                f"{self._strategy_name} has targets for a decoder, but a masked language model "
                "predicts in place: use --task maskplug_denoising, or a strategy with labels in "
                "place"
            )
        if masked.weights is not None:
            raise OptionError(
                f"{self._strategy_name} weights its losses, but fairseq's criterion masked_lm has "
                "no weights: use a strategy without weights"
            )
        self.refuse_annotations(masked)

    def load_dataset(
        self, split: str, epoch: int = 1, combine: bool = False, **kwargs: Any
    ) -> None:
        """Load and mask a split; only the masks of the training split change with the epoch."""
        if self.masks_nothing:
            raise OptionError(
                f"--masking-plugin is {self.cfg.masking_plugin}, which masks nothing, so there is "
                "nothing to predict: choose a strategy, for example dynamic (see maskplug list)"
            )
        trained = self.is_trained(split, kwargs)
        if trained:
            self.check_time()
        texts = load_texts(self.cfg, self.dictionary, {"": ()}, split, epoch, combine)
        self.datasets[split] = MaskedLMDataset(
            Rows(texts, self.masking_strategy.bounds, self.cfg.seed),
            self.masking_vocabularies["source"],
            **self.dataset_options,
            fixed_masks=not trained,
        )
