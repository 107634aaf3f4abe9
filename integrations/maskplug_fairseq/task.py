"""What the tasks of maskplug share: options that are checked early, time, and checkpoints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from fairseq.tasks import FairseqTask

from maskplug import Masked, OptionError, Rng, Strategy, Vocabulary, strategy
from maskplug.errors import VocabularyError
from maskplug.spec import options_from_json
from maskplug.warm_up import warm_up
from maskplug_fairseq import checkpoint
from maskplug_fairseq.dataset import MaskedDataset
from maskplug_fairseq.epoch import Calendar, carry_time
from maskplug_fairseq.feedback import STATE, HearsLosses
from maskplug_fairseq.too_long import check_too_long
from maskplug_fairseq.vocabulary import (
    MASK,
    add_symbols,
    mask_symbol,
    sentinel_names,
    truncate,
    vocabulary,
)

ADDED = "maskplug_added_symbol"


@contextmanager
def short_of_sentinels() -> Iterator[None]:
    """Say how a dictionary gets sentinels, where that is what it lacks."""
    try:
        yield
    except VocabularyError as error:
        if "sentinel" not in str(error):
            raise
        raise VocabularyError(
            f"{error}\n  fairseq: --masking-sentinels N adds <extra_id_0>, <extra_id_1>, …, N of "
            "them, to the dictionary"
        ) from error


class MaskingTask(HearsLosses, FairseqTask):  # type: ignore[misc]
    """Mixed in before one of fairseq's tasks.

    A mask depends on the strategy, its options, ``--masking-seed``, the epoch (or step, for clocks
    that count steps) and the key of the sample, and on nothing else.
    """

    #: Whether this run has been compared with the checkpoint that it resumes.
    _compared = False
    #: That of the training batches.
    _iterator: Any = None

    def __init__(self, cfg: Any, *dictionaries: Any) -> None:
        bare = {id(dictionary): len(dictionary) for dictionary in dictionaries}
        super().__init__(cfg, *dictionaries)
        own = {id(d): d for d in (self.source_dictionary, self.target_dictionary)}
        self._bare = [(dictionary, bare[key]) for key, dictionary in own.items()]
        if cfg.masking_sentinels < 0:
            raise OptionError(
                f"--masking-sentinels is {cfg.masking_sentinels}; it must be 0 or more"
            )
        self._extend([*self.added_symbols(), *sentinel_names(cfg.masking_sentinels)])

    @classmethod
    def setup_task(cls, cfg: Any, **kwargs: Any) -> Any:
        """Set up the task, and check every masking option before anything is loaded.

        Raises:
            MaskplugError: for an unknown strategy, a wrong option, seed or mask symbol.
        """
        task = super().setup_task(cfg, **kwargs)
        if not kwargs.get("from_checkpoint"):  # a model is used without the plugin it trained with
            task.check_masking()
        return task

    def added_symbols(self) -> list[str]:
        """What this task adds to its dictionaries, besides sentinels."""
        return [MASK]

    def masked_dictionaries(self) -> Mapping[str, Any]:
        """The dictionary of each text that is masked, by the name of the text."""
        return {"source": self.source_dictionary}

    def special_ids(self) -> list[int]:
        """Ids that the task never masks, besides those that no text contains."""
        return []

    @cached_property
    def masking_strategy(self) -> Strategy:
        """The strategy that the options ask for."""
        options = options_from_json(self.cfg.masking_args, "--masking-args")
        return strategy(self.cfg.masking_plugin, **options)

    @cached_property
    def masking_vocabularies(self) -> dict[str, Vocabulary]:
        """The vocabulary of each text that is masked."""
        return {
            name: vocabulary(dictionary, self.cfg.masking_symbol, self.special_ids())
            for name, dictionary in self.masked_dictionaries().items()
        }

    @cached_property
    def masking_record(self) -> dict[str, Any]:
        """What checkpoints remember of the masks, as plain values."""
        seed = Rng.at(self.cfg.masking_seed, 0, []).seed  # checks its range
        symbols = [
            mask_symbol(dictionary, self.cfg.masking_symbol)
            for dictionary in self.masked_dictionaries().values()
        ]
        return checkpoint.record(self.masking_strategy, seed, symbols, **self.recorded())

    def recorded(self) -> dict[str, Any]:
        """Further options that decide the masks, as plain values."""
        count = self.cfg.masking_sentinels
        return {"sentinels": count} if count else {}

    def check_masking(self) -> None:
        """Fail now where masking would fail later.

        Raises:
            MaskplugError: naming what is wrong.
        """
        _ = self.masking_record
        needed = self.masking_strategy.required_annotations
        if needed:
            raise OptionError(
                f"strategy {self.masking_strategy.label!r} reads the layers "
                f"{', '.join(map(repr, needed))} of a batch, and fairseq's data have no layers"
            )
        for vocab in self.masking_vocabularies.values():
            with short_of_sentinels():
                masked = self.masking_strategy.dry_run(vocab)
            warm_up(masked)
            if not self.idle:
                self.check_result(masked)
        predicted = self.target_dictionary
        self.make_heard(
            self.masking_strategy, len(predicted), predicted.pad(), self.tells_nothing()
        )

    def check_result(self, masked: Masked) -> None:
        """Check what the strategy makes of a sample against what the task can train on."""

    def tells_nothing(self) -> str:
        """Why the model's losses do not tell how hard the masked tokens are; empty if they do."""
        return ""

    @property
    def idle(self) -> bool:
        """Whether the strategy is ``none``."""
        return self.masking_strategy.label.rpartition(":")[2].startswith("none@")

    def trains_on(self, split: str, given: Mapping[str, Any]) -> bool:
        """Whether a split is loaded for training.

        Args:
            split: its name.
            given: further arguments of ``load_dataset``; fairseq-generate and fairseq-validate
                pass the checkpoint's own configuration.
        """
        return split == self.cfg.train_subset and given.get("task_cfg") is None

    def check_time(self) -> None:
        """Check that this run can tell the time that the strategy needs.

        Raises:
            OptionError: when it cannot.
        """
        who = f"strategy {self.masking_strategy.label!r}"
        if self.masking_strategy.needs_progress and self.cfg.max_epoch < 1:
            raise OptionError(
                f"{who} has a schedule, which follows the epochs up to --max-epoch; --max-epoch is "
                f"{self.cfg.max_epoch}: give the number of epochs, or a constant value"
            )
        uneven = self.uneven_epochs()
        if self.masking_strategy.needs_step and uneven:
            raise OptionError(
                f"{who} has the clock {self.masking_strategy.primary_clock}, which counts steps; "
                f"with {uneven} the steps of an epoch are not known beforehand: use a clock "
                'that counts epochs (epoch, cycle, every with "of": "epoch", never)'
            )

    def uneven_epochs(self) -> str:
        """Why epochs may differ in their number of batches; empty where they do not."""
        return "several data folders" if self.has_sharded_data(self.cfg.train_subset) else ""

    def get_batch_iterator(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
        """As fairseq's; batches of the masked split carry their time to whoever masks them."""
        iterator = super().get_batch_iterator(dataset, *args, **kwargs)
        if isinstance(dataset, MaskedDataset) and not dataset.frozen:
            calendar = Calendar(self.cfg.update_freq, self.cfg.skip_remainder_batch)
            carry_time(iterator, calendar)
            self._iterator = iterator
            if self.heard is not None:
                self.heard.follow(iterator, calendar)
                dataset.feedback = self.heard.shared
        return iterator

    def filter_indices_by_size(
        self,
        indices: Any,
        dataset: Any,
        max_positions: Any = None,
        ignore_invalid_inputs: bool = False,
    ) -> Any:
        """The indices of the rows that fit, as fairseq's; messages name the split.

        Raises:
            TokenError: when rows are too long, and are not to be left out.
        """
        fitting, too_long = dataset.filter_indices_by_size(indices, max_positions)
        split = next((name for name, rows in self.datasets.items() if rows is dataset), "input")
        check_too_long(split, dataset, len(indices), too_long, max_positions, ignore_invalid_inputs)
        return fitting

    def get_checkpoint_dict(self) -> dict[str, Any]:
        """What fairseq stores in a checkpoint for this task."""
        heard = {} if self.heard is None else {STATE: self.heard.state_dict()}
        return {type(self).__name__: {**self.masking_record, **heard}}

    def set_checkpoint_dict(self, saved: Any) -> None:
        """What fairseq calls when training is resumed from a checkpoint that holds something.

        Args:
            saved: what the checkpoint holds for this task, of any type; None for nothing.

        Raises:
            SpecMismatchError: when the checkpoint was trained with other masks, or its record is
                missing or damaged.
        """
        self._compared = True
        allow = self.cfg.masking_allow_other_spec
        record, losses = saved, None
        if isinstance(saved, Mapping):
            record = {name: value for name, value in saved.items() if name != STATE}
            losses = saved.get(STATE)
        checkpoint.check(record, self.masking_record, allow)
        if self.heard is not None:
            self.heard.load_state_dict(losses, allow)

    def begin_epoch(self, epoch: int, model: Any) -> None:
        """As fairseq's; before the first step of a resumed run, its checkpoint has been compared.

        Raises:
            SpecMismatchError: when the checkpoint holds nothing to compare.
        """
        super().begin_epoch(epoch, model)
        # fairseq restores the place in the data, and asks the task only if there is a record.
        taken = self._iterator.iterations_in_epoch if self._iterator is not None else 0
        if (epoch > 1 or taken > 0) and not self._compared:
            self.set_checkpoint_dict(None)
        self._compared = True

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """What fairseq calls before it builds a checkpoint's model for inference."""
        super().load_state_dict(state_dict)
        if ADDED in state_dict:
            self._extend(state_dict[ADDED].split())

    def _extend(self, symbols: list[str]) -> None:
        """Give all dictionaries (joined ones must stay equal) these symbols and no others."""
        for dictionary, size in self._bare:
            truncate(dictionary, size)
            add_symbols(dictionary, symbols)
        if symbols:
            self.state.merge_state_dict({ADDED: " ".join(symbols)})
        for name in ("masking_vocabularies", "masking_record"):
            self.__dict__.pop(name, None)


def refuse_layers(who: str, masked: Masked) -> None:
    """Refuse what a strategy tells of its tokens besides their ids.

    Raises:
        OptionError: naming the layers.
    """
    layers = [*masked.annotations, *masked.target_annotations]
    if layers:
        raise OptionError(
            f"{who} gives the model {', '.join(map(repr, layers))}, which fairseq's models do not "
            "take"
        )
