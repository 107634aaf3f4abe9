"""The base of all maskplug tasks: options, training time, row sizes and checkpoints."""

from __future__ import annotations

import logging
import shlex
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cached_property
from typing import Any

from fairseq.tasks import FairseqTask

from maskplug import Masked, OptionError, Rng, Strategy, Vocabulary, strategy
from maskplug.checkpoint import compare
from maskplug.errors import MaskplugWarning, TokenError, VocabularyError
from maskplug.spec import options_from_json, to_json
from maskplug.warm_up import warm_up
from maskplug_fairseq.dataset import MaskedDataset
from maskplug_fairseq.loss_tracking import LossTracker
from maskplug_fairseq.options import OVERRIDE
from maskplug_fairseq.step_schedule import StepSchedule, attach_times
from maskplug_fairseq.vocabulary import MASK, add_symbols, mask_symbol, truncate, vocabulary

logger = logging.getLogger(__name__)

#: Names in checkpoints.
ADDED_SYMBOLS = "maskplug_added_symbol"
LOSSES = "feedback"


def _options_of(record: Mapping[str, Any]) -> str:
    names = {"strategy": "plugin", "options": "args"}
    options = " ".join(
        f"--masking-{names.get(name, name)} {shlex.quote(str(value))}"
        for name, value in record.items()
        if name not in ("fingerprint", "symbols")
    )
    return f"{options} (fingerprint {record['fingerprint']}, mask symbol {record['symbols']})"


@contextmanager
def explain_sentinels() -> Iterator[None]:
    """Add fairseq's remedy to errors about missing sentinels."""
    try:
        yield
    except VocabularyError as error:
        if "sentinel" not in str(error):
            raise
        raise VocabularyError(
            f"{error}\n  fairseq: --masking-sentinels N adds <extra_id_0>, <extra_id_1>, …, N of "
            "them, to the dictionary"
        ) from error


class MaskingTask(FairseqTask):  # type: ignore[misc]
    """A mixin to place before one of fairseq's tasks."""

    #: Records losses for adaptive strategies; None for all others.
    loss_tracker: LossTracker | None = None
    #: Whether this run has been compared with the checkpoint that it resumes.
    _compared = False
    #: The iterator of the training batches.
    _iterator: Any = None

    def __init__(self, cfg: Any, *dictionaries: Any) -> None:
        sizes = {id(dictionary): len(dictionary) for dictionary in dictionaries}
        super().__init__(cfg, *dictionaries)
        unique = {id(d): d for d in (self.source_dictionary, self.target_dictionary)}
        self._original_sizes = [(dictionary, sizes[key]) for key, dictionary in unique.items()]
        if cfg.masking_sentinels < 0:
            raise OptionError(
                f"--masking-sentinels is {cfg.masking_sentinels}; it must be 0 or more"
            )
        sentinels = [f"<extra_id_{number}>" for number in range(cfg.masking_sentinels)]
        self._extend([*self.added_symbols(), *sentinels])

    @classmethod
    def setup_task(cls, cfg: Any, **kwargs: Any) -> Any:
        """Set up the task and check all masking options before any data are loaded."""
        task = super().setup_task(cfg, **kwargs)
        # For inference a model must load without the plugin that it was trained with.
        if not kwargs.get("from_checkpoint"):
            task.check_masking()
        return task

    def added_symbols(self) -> list[str]:
        """Return the symbols that this task adds to its dictionaries, except sentinels."""
        return [MASK]

    def masked_dictionaries(self) -> Mapping[str, Any]:
        """Return the dictionary of each masked text, by the name of the text."""
        return {"source": self.source_dictionary}

    def special_ids(self) -> list[int]:
        """Return further ids that the task never masks."""
        return []

    @cached_property
    def masking_strategy(self) -> Strategy:
        """The strategy of the options."""
        options = options_from_json(self.cfg.masking_args, "--masking-args")
        return strategy(self.cfg.masking_plugin, **options)

    @cached_property
    def masking_vocabularies(self) -> dict[str, Vocabulary]:
        """The vocabulary of each masked text."""
        return {
            name: vocabulary(dictionary, self.cfg.masking_symbol, self.special_ids())
            for name, dictionary in self.masked_dictionaries().items()
        }

    @cached_property
    def masking_record(self) -> dict[str, Any]:
        """Everything that determines the masks, as plain values for checkpoints."""
        symbols = [
            mask_symbol(dictionary, self.cfg.masking_symbol)
            for dictionary in self.masked_dictionaries().values()
        ]
        return {
            "strategy": self.masking_strategy.label,
            "options": to_json(self.masking_strategy.spec["options"]),
            "fingerprint": self.masking_strategy.fingerprint,
            "seed": Rng.at(self.cfg.masking_seed, 0, []).seed,  # checks its range
            **self.recorded_options(),
            "symbols": " / ".join(symbols),
        }

    def recorded_options(self) -> dict[str, Any]:
        """Return further options that determine the masks, as plain values."""
        count = self.cfg.masking_sentinels
        return {"sentinels": count} if count else {}

    @property
    def _strategy_name(self) -> str:
        return f"strategy {self.masking_strategy.label!r}"

    def check_masking(self) -> None:
        """Check the masking options and mask a few tokens."""
        _ = self.masking_record
        needed = self.masking_strategy.required_annotations
        if needed:
            raise OptionError(
                f"{self._strategy_name} reads the annotations {', '.join(map(repr, needed))} of a "
                "batch, but fairseq's data have no annotations"
            )
        for vocab in self.masking_vocabularies.values():
            with explain_sentinels():
                masked = self.masking_strategy.dry_run(vocab)
            warm_up(masked)
            if not self.masks_nothing:
                self.check_result(masked)
        plan = self.masking_strategy.feedback_plan
        if plan is None:
            return
        reason = self.feedback_unavailable_reason()
        if reason:
            raise OptionError(f"{self._strategy_name} follows the model's losses, but {reason}")
        target = self.target_dictionary
        self.loss_tracker = LossTracker(plan, len(target), target.pad())

    def check_result(self, masked: Masked) -> None:
        """Check that the task can train on the output of the strategy."""

    def refuse_annotations(self, masked: Masked) -> None:
        """Refuse per-token outputs of the strategy other than ids."""
        annotations = [*masked.annotations, *masked.target_annotations]
        if annotations:
            raise OptionError(
                f"{self._strategy_name} gives the model {', '.join(map(repr, annotations))}, which "
                "fairseq's models do not accept"
            )

    def feedback_unavailable_reason(self) -> str:
        """Return why the model's losses are not those of masked tokens; empty if they are."""
        return ""

    @property
    def dataset_options(self) -> dict[str, Any]:
        """The arguments of masked datasets."""
        seed, max_epoch = self.cfg.masking_seed, self.cfg.max_epoch
        return {"strategy": self.masking_strategy, "seed": seed, "max_epoch": max_epoch}

    @property
    def masks_nothing(self) -> bool:
        """Whether the strategy is ``none``."""
        return self.masking_strategy.label.rpartition(":")[2].startswith("none@")

    def is_trained(self, split: str, kwargs: Mapping[str, Any]) -> bool:
        """Return whether ``load_dataset``, called with ``kwargs``, loads a split for training."""
        # fairseq-generate and fairseq-validate pass the checkpoint's configuration.
        return split == self.cfg.train_subset and kwargs.get("task_cfg") is None

    def check_time(self) -> None:
        """Check that this run has the epochs or steps that the strategy needs."""
        if self.masking_strategy.needs_progress and self.cfg.max_epoch < 1:
            raise OptionError(
                f"{self._strategy_name} has a schedule, which runs over the epochs up to "
                f"--max-epoch, but --max-epoch is {self.cfg.max_epoch}: set the number of epochs, "
                "or use a constant value"
            )
        uneven = self.uneven_epochs_reason()
        if self.masking_strategy.needs_step and uneven:
            raise OptionError(
                f"{self._strategy_name} has the clock {self.masking_strategy.primary_clock}, which "
                f"counts steps, but with {uneven} the number of steps per epoch is unknown: use a "
                'clock that counts epochs (epoch, cycle, every with "of": "epoch", never)'
            )

    def uneven_epochs_reason(self) -> str:
        """Return why epochs may differ in their number of batches; empty if they do not."""
        return "several data folders" if self.has_sharded_data(self.cfg.train_subset) else ""

    def get_batch_iterator(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
        """Return fairseq's iterator; batches of the training split have their epoch and step."""
        iterator = super().get_batch_iterator(dataset, *args, **kwargs)
        if isinstance(dataset, MaskedDataset) and not dataset.fixed_masks:
            schedule = StepSchedule(self.cfg.update_freq, self.cfg.skip_remainder_batch)
            attach_times(iterator, schedule)
            self._iterator = iterator
            if self.loss_tracker is not None:
                self.loss_tracker.follow(iterator, schedule)
                dataset.feedback = self.loss_tracker.tables
        return iterator

    def filter_indices_by_size(
        self,
        indices: Any,
        dataset: Any,
        max_positions: Any = None,
        ignore_invalid_inputs: bool = False,
    ) -> Any:
        """Return the indices of rows that fit; warn of the others, or raise a ``TokenError``."""
        fitting, too_long = dataset.filter_indices_by_size(indices, max_positions)
        if len(too_long) == 0:
            return fitting
        split = next((name for name, rows in self.datasets.items() if rows is dataset), "input")
        size = dataset.size(too_long[0])
        size = tuple(map(int, size)) if isinstance(size, tuple) else int(size)
        problem = (
            f"{split}: {len(too_long)} of {len(indices)} rows are longer than {max_positions}, the "
            f"limit of the model and the options (first: row {too_long[0]}, size {size})"
        )
        if len(too_long) == len(indices):
            raise TokenError(f"{problem}, so that none is left; shorten rows or raise the limit")
        if not ignore_invalid_inputs:
            raise TokenError(
                f"{problem}; shorten them, raise the limit, or skip them with "
                "--skip-invalid-size-inputs-valid-test"
            )
        warnings.warn(f"{problem}; they are skipped", MaskplugWarning, stacklevel=2)
        return fitting

    def train_step(self, sample: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        """Run fairseq's training step and record its token losses for adaptive strategies."""
        real = None if kwargs.get("ignore_grad") else sample
        tracker = self.loss_tracker
        with nullcontext() if tracker is None else tracker.record(model, real):
            return super().train_step(sample, model, *args, **kwargs)

    def get_checkpoint_dict(self) -> dict[str, Any]:
        """Return what fairseq stores in a checkpoint for this task."""
        tracker = self.loss_tracker
        losses = {} if tracker is None else {LOSSES: tracker.state_dict()}
        return {type(self).__name__: {**self.masking_record, **losses}}

    def set_checkpoint_dict(self, saved: Any) -> None:
        """Compare this run with the checkpoint that it resumes, and restore losses.

        Raises:
            SpecMismatchError: for other masks, or a missing (None) or damaged record.
        """
        self._compared = True
        allow = self.cfg.masking_allow_other_spec
        record, losses = saved, None
        if isinstance(saved, Mapping):
            record = {name: value for name, value in saved.items() if name != LOSSES}
            losses = saved.get(LOSSES)
        warning = compare(
            record,
            self.masking_record,
            _options_of,
            checkpoint="the checkpoint",
            allow=allow,
            override=OVERRIDE,
            optional=("sentinels",),
        )
        if warning:
            logger.warning(warning)
        if self.loss_tracker is not None:
            self.loss_tracker.load_state_dict(losses, allow)

    def begin_epoch(self, epoch: int, model: Any) -> None:
        """Refuse to resume a checkpoint without a masking record."""
        super().begin_epoch(epoch, model)
        # fairseq restores the position in the data, but calls the task only if there is a record.
        taken = self._iterator.iterations_in_epoch if self._iterator is not None else 0
        if (epoch > 1 or taken > 0) and not self._compared:
            self.set_checkpoint_dict(None)
        self._compared = True

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore added symbols before fairseq builds a checkpoint's model for inference."""
        super().load_state_dict(state_dict)
        if ADDED_SYMBOLS in state_dict:
            self._extend(state_dict[ADDED_SYMBOLS].split())

    def _extend(self, symbols: list[str]) -> None:
        """Add these symbols, and no others, to all dictionaries: joined ones must stay equal."""
        for dictionary, size in self._original_sizes:
            truncate(dictionary, size)
            add_symbols(dictionary, symbols)
        if symbols:
            self.state.merge_state_dict({ADDED_SYMBOLS: " ".join(symbols)})
        for name in ("masking_vocabularies", "masking_record"):
            self.__dict__.pop(name, None)
