"""The task ``maskplug_masked_lm``: text whose masked tokens are predicted in place."""

from __future__ import annotations

from typing import Any

from fairseq import utils
from fairseq.tasks import register_task
from fairseq.tasks.masked_lm import MaskedLMTask

from maskplug import Masked, OptionError
from maskplug_fairseq.blocks import Cut
from maskplug_fairseq.monolingual import MaskedLMDataset
from maskplug_fairseq.options import MaskplugMaskedLMConfig
from maskplug_fairseq.rows import Rows
from maskplug_fairseq.task import MaskingTask, refuse_layers


@register_task("maskplug_masked_lm", dataclass=MaskplugMaskedLMConfig)
class MaskplugMaskedLMTask(MaskingTask, MaskedLMTask):  # type: ignore[misc]
    """As fairseq's ``masked_lm``, whose checkpoints have the same shape.

    The key of a sample is its row number. There is nothing to predict in clean text: validation
    and test sets are masked as well, always as at the very start of training.
    """

    def check_result(self, masked: Masked) -> None:
        """Labels in place, and nothing that the criterion and the model do not take.

        Raises:
            OptionError: for any other strategy; the message says what to do.
        """
        who = f"strategy {self.masking_strategy.label!r}"
        if masked.labels is None:
            raise OptionError(
                f"{who} says what a decoder is to generate, and a masked language model predicts "
                "in place: use --task maskplug_denoising, or a strategy with labels in place"
            )
        if masked.weights is not None:
            raise OptionError(
                f"{who} weighs its losses, and fairseq's criterion masked_lm takes no weights: "
                "use a strategy without them"
            )
        refuse_layers(who, masked)

    def load_dataset(
        self, split: str, epoch: int = 1, combine: bool = False, **kwargs: Any
    ) -> None:
        """Load and mask a split; only the training split's masks follow the epochs.

        Raises:
            OptionError: when there is no strategy, or it needs a time that this run cannot tell.
        """
        if self.idle:
            raise OptionError(
                f"--masking-plugin is {self.cfg.masking_plugin}, which masks nothing, so that "
                "there is nothing to predict: name a strategy (maskplug list), say dynamic"
            )
        trained = self.trains_on(split, kwargs)
        if trained:
            self.check_time()
        paths = utils.split_paths(self.cfg.data)
        cut = Cut(
            str(self.cfg.sample_break_mode), self.cfg.tokens_per_sample, (self.dictionary.bos(),)
        )
        text = cut.rows(paths[(epoch - 1) % len(paths)], split, self.dictionary, combine)
        self.datasets[split] = MaskedLMDataset(
            Rows({"": text}, self.masking_strategy.bounds, self.cfg.seed),
            self.masking_vocabularies["source"],
            strategy=self.masking_strategy,
            seed=self.cfg.masking_seed,
            max_epoch=self.cfg.max_epoch,
            frozen=not trained,
        )
