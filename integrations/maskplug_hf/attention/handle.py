"""The handle of a model's patterns: sets their time, follows a Trainer, removes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import PreTrainedModel

from maskplug.attention import Pattern
from maskplug.errors import OptionError, PluginError
from maskplug.schedule import progress_at
from maskplug.spec import to_json
from maskplug_hf.attention import columns
from maskplug_hf.attention.interface import NAMES
from maskplug_hf.attention.mask_metadata import RUNNING, ForwardPass
from maskplug_hf.attention.modules import ATTRIBUTE, attention_modules
from maskplug_hf.attention.settings import AttentionSettings, TrainingTime
from maskplug_hf.resume import ResumeCallback

#: The attribute of a model that holds its ``PatternAttention``.
HANDLE = "_maskplug_attention"


@dataclass(eq=False, repr=False)
class PatternAttention(AttentionSettings):
    """The patterns of a model, created by :func:`maskplug_hf.attention.use_attention`.

    As a context manager, it removes the patterns at the end of the block.
    """

    backend: str
    _time_is_set: bool = field(default=False, init=False)
    _given: dict[str, Any] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Install the patterns in the model."""
        patterns = [*self.patterns.values(), *self.evaluation.values()]
        self._column_names = columns.column_names(patterns)
        models = [m for m in self.model.modules() if isinstance(m, PreTrainedModel)]
        configs = {id(m.config): m.config for m in models}
        for config in list(configs.values()):
            nested = (getattr(config, name, None) for name in config.sub_configs)
            configs |= {id(one): one for one in nested if one is not None}
        former = [(config, config._attn_implementation_internal) for config in configs.values()]
        # An inner model may be used on its own while the outer one has a pattern too.
        backends = {name: backend for backend, name in NAMES.items()}
        self._former = [(config, backends.get(name or "", name)) for config, name in former]
        self.model.set_attn_implementation(NAMES[self.backend])
        for module, role in attention_modules(self.model):
            setattr(module, ATTRIBUTE, role)
        self._hooks = []
        for model in models:
            before = model.register_forward_pre_hook(self._before, prepend=True, with_kwargs=True)
            after = model.register_forward_hook(self._after, always_call=True)
            self._hooks += [before, after]
        setattr(self.model, HANDLE, self)

    def remove(self) -> None:
        """Restore the model's former attention. A second call does nothing."""
        for hook in self._hooks:
            hook.remove()
        for config, former in self._former:
            config._attn_implementation_internal = former
        self._hooks, self._former = [], []
        for module in self.model.modules():
            vars(module).pop(ATTRIBUTE, None)
        if vars(self.model).get(HANDLE) is self:
            vars(self.model).pop(HANDLE)

    def __enter__(self) -> PatternAttention:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()

    def set_time(self, epoch: int = 0, step: int = 0, progress: float = 0.0) -> None:
        """Set the time of the following forward passes.

        Args:
            epoch, step: from 0.
            progress: from 0 (start of training) to 1 (its end, and for trained models).

        Raises:
            OptionError: when a value is out of range.
        """
        if min(epoch, step) < 0 or not 0.0 <= progress <= 1.0:
            raise OptionError(
                f"invalid time: epoch {epoch}, step {step}, progress {progress}; epoch and step "
                "must be at least 0, and progress from 0 to 1"
            )
        self.time = TrainingTime(epoch, step, progress)
        self._time_is_set = True

    @contextmanager
    def given(self, **values: Any) -> Iterator[PatternAttention]:
        """Set columns for all passes in the block whose batch does not have them.

        For ``generate``, which accepts only columns that the model names. Generated tokens get the
        last value of a column, for example the last document.

        Args:
            values: columns by name, of shape (samples,) or (samples, tokens of the prompt).
        """
        former = self._given
        self._given = {**former, **columns.arrays(values, values)}
        try:
            yield self
        finally:
            self._given = former

    def follow(self, trainer: Any, resume_other_spec: bool = False) -> PatternAttention:
        """Set the time at each optimizer step of a Trainer, also after a resume.

        Args:
            trainer: its checkpoints store the patterns too.
            resume_other_spec: whether a checkpoint with other patterns may be resumed.

        Returns:
            This object.
        """
        for callback in list(trainer.callback_handler.callbacks):
            if isinstance(callback, TimeCallback) and callback.attention is self:
                trainer.remove_callback(callback)
        trainer.add_callback(TimeCallback(self, resume_other_spec))
        return self

    @property
    def record(self) -> dict[str, Any]:
        """What checkpoints store: the patterns' specs and the options that determine the masks."""
        patterns = {str(kind): _spec(pattern) for kind, pattern in self.patterns.items()}
        return {"patterns": patterns, "keep_own": self.keep_own, "seed": self.seed}

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def _before(self, module: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        running = RUNNING.get()
        if running is None or running.settings is not self or running.owner is module:
            patterns = self.patterns if module.training else self.evaluation
            if not self._time_is_set:
                self.warn_missing_time(patterns.values())
            inputs = columns.bind_inputs(module, args, kwargs)
            columns.check_masks(inputs)
            batch = columns.arrays(inputs, self._column_names)
            positions = inputs.get("position_ids")
            two_dimensional = getattr(positions, "ndim", 0) == 2
            positions = columns.as_numpy(positions) if two_dimensional else None
            outer = None if running is None or running.owner is module else running
            forward = ForwardPass(
                self, module, patterns, self.time, batch, self._given, positions, outer
            )
            RUNNING.set(forward)
            removed = self._column_names - {*columns.argument_names(module.__class__)}
            kwargs = {name: value for name, value in kwargs.items() if name not in removed}
        return columns.with_cross_mask(module, args, kwargs)

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def _after(self, module: Any, args: Any, output: Any) -> None:
        running = RUNNING.get()
        if running is not None and running.owner is module:
            RUNNING.set(running.outer)


class TimeCallback(ResumeCallback):
    """Sets the time of patterns at each optimizer step, and stores their record in checkpoints."""

    record_name = "maskplug_attention"
    override = "follow(trainer, resume_other_spec=True)"

    def __init__(self, attention: PatternAttention, resume_other_spec: bool) -> None:
        self.attention = attention
        self.record = attention.record
        self.resume_other_spec = resume_other_spec

    def describe(self, record: Mapping[str, Any]) -> str:
        """Return the patterns as JSON, for messages."""
        return f"attention by {to_json(record)}"

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Set the time of the step."""
        progress = progress_at(state.global_step, state.max_steps)
        self.attention.set_time(self.epoch or 0, state.global_step, progress)


def _spec(pattern: Pattern) -> Any:
    """Return the spec of a pattern, or its text if it is not registered."""
    try:
        return pattern.spec
    except PluginError:
        return str(pattern)
