"""The task ``maskplug_translation``: fairseq's translation with a masked training split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairseq.tasks import register_task
from fairseq.tasks.translation import TranslationTask

from maskplug_fairseq.options import MaskplugTranslationConfig
from maskplug_fairseq.pairs import MaskedPairDataset
from maskplug_fairseq.task import MaskingTask
from maskplug_fairseq.vocabulary import MASK


@register_task("maskplug_translation", dataclass=MaskplugTranslationConfig)
class MaskplugTranslationTask(MaskingTask, TranslationTask):  # type: ignore[misc]
    """Translation whose training split is masked; validation and generation see clean text.

    The key of a sample is its row number.
    """

    def added_symbols(self) -> list[str]:
        """``<mask>`` on request only: without it, plain ``translation`` can load checkpoints."""
        return [MASK] if self.cfg.masking_symbol == "add" else []

    def masked_dictionaries(self) -> Mapping[str, Any]:
        """The dictionaries of the sides that are masked: ``source``, ``target``, or both."""
        dictionaries = {"source": self.src_dict, "target": self.tgt_dict}
        side = str(self.cfg.masking_side)
        return dictionaries if side == "both" else {side: dictionaries[side]}

    def recorded(self) -> dict[str, Any]:
        """The side, too."""
        return {"side": str(self.cfg.masking_side), **super().recorded()}

    def tells_nothing(self) -> str:
        """The model predicts the target side."""
        if str(self.cfg.masking_side) == "target":
            return ""
        return "a translation model predicts the target side: use --masking-side target"

    def load_dataset(
        self, split: str, epoch: int = 1, combine: bool = False, **kwargs: Any
    ) -> None:
        """Load a split; the training split, where it is loaded for training, is masked.

        Raises:
            OptionError: when the strategy needs a time that this run cannot tell.
        """
        super().load_dataset(split, epoch=epoch, combine=combine, **kwargs)
        if self.trains_on(split, kwargs):
            self.check_time()
            self.datasets[split] = MaskedPairDataset(
                self.datasets[split],
                self.masking_strategy,
                seed=self.cfg.masking_seed,
                max_epoch=self.cfg.max_epoch,
                **self.masking_vocabularies,
            )
