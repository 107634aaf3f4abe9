"""The task ``maskplug_classification``: sentence classification with a masked training split."""

from __future__ import annotations

from typing import Any

from fairseq.tasks import register_task
from fairseq.tasks.sentence_prediction import SentencePredictionTask

from maskplug_fairseq.options import MaskplugClassificationConfig
from maskplug_fairseq.sentences import MaskedSentencesDataset
from maskplug_fairseq.task import MaskingTask


@register_task("maskplug_classification", dataclass=MaskplugClassificationConfig)
class MaskplugClassificationTask(MaskingTask, SentencePredictionTask):  # type: ignore[misc]
    """As fairseq's ``sentence_prediction``; labels are left alone, and validation sees clean text.

    The key of a sample is its row number. ``--init-token`` and ``--separator-token`` are special,
    whichever tokens they are.
    """

    def special_ids(self) -> list[int]:
        """The tokens that stand before and between the sentences."""
        given = (self.cfg.init_token, self.cfg.separator_token)
        return [token for token in given if token is not None]

    def tells_nothing(self) -> str:
        """The model predicts no tokens."""
        return "a classifier predicts no tokens: use --task maskplug_masked_lm"

    def load_dataset(self, split: str, combine: bool = False, **kwargs: Any) -> Any:
        """Load a split; the training split, where it is loaded for training, is masked.

        Raises:
            OptionError: when the strategy needs a time that this run cannot tell.
        """
        super().load_dataset(split, combine=combine, **kwargs)
        if self.trains_on(split, kwargs):
            self.check_time()
            self.datasets[split] = MaskedSentencesDataset(
                self.datasets[split],
                self.masking_strategy,
                self.masking_vocabularies["source"],
                seed=self.cfg.masking_seed,
                max_epoch=self.cfg.max_epoch,
            )
        return self.datasets[split]
