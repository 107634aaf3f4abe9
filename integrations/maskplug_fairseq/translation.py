"""The task ``maskplug_translation``: fairseq's translation with a masked training split."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from fairseq.tasks import register_task
from fairseq.tasks.translation import TranslationTask

from maskplug import Rng, Strategy, Vocabulary, strategy
from maskplug.errors import OptionError
from maskplug.spec import options_from_json
from maskplug_fairseq import checkpoint
from maskplug_fairseq.dataset import MaskedPairDataset
from maskplug_fairseq.epoch import Calendar, carry_time
from maskplug_fairseq.options import MaskplugTranslationConfig
from maskplug_fairseq.vocabulary import MASK, add_mask, mask_symbol, vocabulary

ADDED = "maskplug_added_symbol"


@register_task("maskplug_translation", dataclass=MaskplugTranslationConfig)
class MaskplugTranslationTask(TranslationTask):  # type: ignore[misc]
    """Translation whose training split is masked; validation and generation see clean text.

    A mask depends on the strategy, its options, ``--masking-seed``, the epoch (or step, for clocks
    that count steps) and the row number of the sample, and on nothing else.
    """

    def __init__(self, cfg: Any, src_dict: Any, tgt_dict: Any) -> None:
        super().__init__(cfg, src_dict, tgt_dict)
        if cfg.masking_symbol == "add":
            self._add_mask()

    @classmethod
    def setup_task(cls, cfg: Any, **kwargs: Any) -> MaskplugTranslationTask:
        """Set up the task, and check every masking option before anything is loaded.

        Raises:
            MaskplugError: for an unknown strategy, a wrong option, seed or mask symbol.
        """
        task: MaskplugTranslationTask = super().setup_task(cfg, **kwargs)
        if not kwargs.get("from_checkpoint"):  # a model is used without the plugin it trained with
            _ = task.masking_strategy, task.masking_vocabularies, task.masking_record
        return task

    @cached_property
    def masking_strategy(self) -> Strategy:
        """The strategy that the options ask for."""
        options = options_from_json(self.cfg.masking_args, "--masking-args")
        return strategy(self.cfg.masking_plugin, **options)

    @cached_property
    def masking_vocabularies(self) -> dict[str, Vocabulary]:
        """The vocabulary of each side that is masked: ``source``, ``target``, or both."""
        dictionaries = {"source": self.src_dict, "target": self.tgt_dict}
        wanted = dictionaries if self._side == "both" else [self._side]
        return {side: vocabulary(dictionaries[side], self.cfg.masking_symbol) for side in wanted}

    @property
    def _side(self) -> str:
        return str(self.cfg.masking_side)

    @cached_property
    def masking_record(self) -> dict[str, Any]:
        """What checkpoints remember of the masks, as plain values."""
        seed = Rng.at(self.cfg.masking_seed, 0, []).seed  # checks its range
        dictionaries = (self.src_dict, self.tgt_dict)
        symbols = [
            mask_symbol(dictionary, self.cfg.masking_symbol)
            for side, dictionary in zip(("source", "target"), dictionaries, strict=True)
            if side in self.masking_vocabularies
        ]
        return checkpoint.record(self.masking_strategy, seed, self._side, symbols)

    def load_dataset(
        self, split: str, epoch: int = 1, combine: bool = False, **kwargs: Any
    ) -> None:
        """Load a split; the training split, where it is loaded for training, is masked.

        Raises:
            OptionError: when the strategy needs a time that this run cannot tell.
        """
        super().load_dataset(split, epoch=epoch, combine=combine, **kwargs)
        # fairseq-generate and fairseq-validate pass the checkpoint's own configuration.
        if split == self.cfg.train_subset and kwargs.get("task_cfg") is None:
            self._check_time()
            self.datasets[split] = MaskedPairDataset(
                self.datasets[split],
                self.masking_strategy,
                seed=self.cfg.masking_seed,
                max_epoch=self.cfg.max_epoch,
                **self.masking_vocabularies,
            )

    def _check_time(self) -> None:
        who = f"strategy {self.masking_strategy.label!r}"
        if self.masking_strategy.needs_progress and self.cfg.max_epoch < 1:
            raise OptionError(
                f"{who} has a schedule, which follows the epochs up to --max-epoch; --max-epoch is "
                f"{self.cfg.max_epoch}: give the number of epochs, or a constant value"
            )
        if self.masking_strategy.needs_step and self.has_sharded_data(self.cfg.train_subset):
            raise OptionError(
                f"{who} has the clock {self.masking_strategy.times}, which counts steps; with "
                "several data folders the steps of an epoch are not known beforehand: use a clock "
                'that counts epochs (epoch, cycle, every with "of": "epoch", never)'
            )

    def get_batch_iterator(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
        """As fairseq's; batches of the masked split carry their time to whoever masks them."""
        iterator = super().get_batch_iterator(dataset, *args, **kwargs)
        if isinstance(dataset, MaskedPairDataset):
            carry_time(iterator, Calendar(self.cfg.update_freq, self.cfg.skip_remainder_batch))
        return iterator

    def get_checkpoint_dict(self) -> dict[str, Any]:
        """What fairseq stores in a checkpoint for this task."""
        return {type(self).__name__: self.masking_record}

    def set_checkpoint_dict(self, saved: dict[str, Any]) -> None:
        """What fairseq calls when training is resumed.

        Raises:
            SpecMismatchError: when the checkpoint was trained with other masks.
        """
        checkpoint.check(saved, self.masking_record, self.cfg.masking_allow_other_spec)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """What fairseq calls before it builds a checkpoint's model for inference."""
        super().load_state_dict(state_dict)
        if ADDED in state_dict:
            self._add_mask()

    def _add_mask(self) -> None:
        """Add ``<mask>`` to both dictionaries: joined ones must stay equal."""
        for dictionary in (self.src_dict, self.tgt_dict):
            add_mask(dictionary)
        self.state.merge_state_dict({ADDED: MASK})
