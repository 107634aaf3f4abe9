"""What use_attention returns: it tells patterns the time, and takes them away again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from transformers import PreTrainedModel

from maskplug.attention import AttentionKind, Fallback, Pattern
from maskplug.errors import OptionError, PluginError
from maskplug_hf.attention import batch, columns
from maskplug_hf.attention.forward import RUNNING, Forward
from maskplug_hf.attention.interface import NAMES
from maskplug_hf.attention.moment import Time, TimeCallback
from maskplug_hf.attention.notices import Notices
from maskplug_hf.attention.places import ATTRIBUTE, Spot, spots

#: The attribute of a model that holds its patterns.
HANDLE = "_maskplug_attention"


class PatternAttention:
    """The patterns of a model's attention; made by :func:`maskplug_hf.attention.use_attention`.

    As a context manager it takes them away at the end of the block.

    Attributes:
        patterns: while the model trains, by place ("encoder", "decoder", "cross").
        evaluation: while it does not.
        keep_own, fallback, seed: see :func:`maskplug_hf.attention.use_attention`.
        places: where the model attends.
        seq2seq: whether it has an encoder and a decoder.
        time: epoch, step and progress.
        notices: what is warned of.
        listeners: called with a ``Spot`` and the mask of every attention module that a pass uses.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        patterns: Mapping[AttentionKind, Pattern],
        evaluation: Mapping[AttentionKind, Pattern],
        keep_own: bool,
        fallback: Fallback | None,
        seed: int,
        backend: str,
    ) -> None:
        self.model = model
        self.patterns = dict(patterns)
        self.evaluation = dict(evaluation)
        self.keep_own = keep_own
        self.fallback = fallback
        self.seed = seed
        self.seq2seq = bool(getattr(model.config, "is_encoder_decoder", False))
        self.time = Time()
        self.listeners: list[Callable[[Spot, Any], None]] = []
        self._told = False
        self._given: dict[str, Any] = {}
        self.notices = Notices(type(model).__name__, fallback)
        self._columns = columns.names([*self.patterns.values(), *self.evaluation.values()])
        self._install(backend)

    def _install(self, backend: str) -> None:
        models = [m for m in self.model.modules() if isinstance(m, PreTrainedModel)]
        configs = {id(m.config): m.config for m in models}
        for config in list(configs.values()):
            nested = (getattr(config, name, None) for name in config.sub_configs)
            configs |= {id(one): one for one in nested if one is not None}
        # An inner model may be used on its own while the outer one has a pattern too.
        plain = {name: backend for backend, name in NAMES.items()}
        former = [(config, config._attn_implementation_internal) for config in configs.values()]
        self._former = [(config, plain.get(name or "", name)) for config, name in former]
        self.model.set_attn_implementation(NAMES[backend])
        self.places: set[AttentionKind] = set()
        for module, spot in spots(self.model):
            setattr(module, ATTRIBUTE, spot)
            self.places.add(spot.place)
        self._hooks = []
        for one in models:
            before = one.register_forward_pre_hook(self._before, prepend=True, with_kwargs=True)
            after = one.register_forward_hook(self._after, always_call=True)
            self._hooks += [before, after]
        setattr(self.model, HANDLE, self)

    def remove(self) -> None:
        """Give the model its former attention back. A second call does nothing."""
        for hook in self._hooks:
            hook.remove()
        self._hooks = []
        for config, former in self._former:
            config._attn_implementation_internal = former
        self._former = []
        for module in self.model.modules():
            vars(module).pop(ATTRIBUTE, None)
        if vars(self.model).get(HANDLE) is self:
            vars(self.model).pop(HANDLE)

    def __enter__(self) -> PatternAttention:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()

    def set_time(self, epoch: int = 0, step: int = 0, progress: float = 0.0) -> None:
        """Say what time it is, from the next forward pass on.

        Args:
            epoch, step: from 0.
            progress: how far training is, from 0 to 1; 1 for a model that is trained.
        """
        if min(epoch, step) < 0 or not 0.0 <= progress <= 1.0:
            raise OptionError(
                f"epoch {epoch}, step {step} and progress {progress} are no time: the first two "
                "count from 0, and progress goes from 0 to 1"
            )
        self.time = Time(epoch, step, progress)
        self._told = True

    @contextmanager
    def given(self, **columns: Any) -> Iterator[PatternAttention]:
        """Within this block, passes whose batch does not hold these columns have them all the same.

        For ``generate``, which takes no columns that its model does not name. Tokens that are
        generated belong to what the last column says: to the last document, say.

        Args:
            columns: by name, of shape (samples,) or (samples, tokens of the prompt).
        """
        former = self._given
        self._given = {**former, **{name: batch.as_numpy(it) for name, it in columns.items()}}
        try:
            yield self
        finally:
            self._given = former

    def follow(self, trainer: Any, resume_other_spec: bool = False) -> PatternAttention:
        """Let a Trainer tell the time at each of its optimizer steps, also after a resume.

        Args:
            trainer: its checkpoints keep the patterns too.
            resume_other_spec: whether a checkpoint of other patterns may be resumed.

        Returns:
            This object itself.
        """
        for callback in list(trainer.callback_handler.callbacks):
            if isinstance(callback, TimeCallback) and callback.attention is self:
                trainer.remove_callback(callback)
        trainer.add_callback(TimeCallback(self, resume_other_spec))
        return self

    @property
    def record(self) -> dict[str, Any]:
        """What checkpoints keep: the patterns' specs, and what else makes the masks."""
        patterns = {str(place): _spec(pattern) for place, pattern in self.patterns.items()}
        return {"patterns": patterns, "keep_own": self.keep_own, "seed": self.seed}

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def _before(self, module: Any, args: Any, given: dict[str, Any]) -> Any:
        running = RUNNING.get()
        if running is None or running.attention is not self or running.owner is module:
            patterns = self.patterns if module.training else self.evaluation
            if not self._told:
                self.notices.untold(patterns.values())
            found, given = batch.taken(module, args, given, self._columns)
            positions = batch.positions(module, args, given)
            outer = None if running is None or running.owner is module else running
            now, lasting = self.time, self._given
            RUNNING.set(Forward(self, module, patterns, now, found, lasting, positions, outer))
        return batch.with_cross_mask(module, args, given)

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def _after(self, module: Any, args: Any, output: Any) -> None:
        running = RUNNING.get()
        if running is not None and running.owner is module:
            RUNNING.set(running.outer)


def _spec(pattern: Pattern) -> Any:
    """A pattern's spec; of one that has no name its text."""
    try:
        return pattern.spec
    except PluginError:
        return str(pattern)
