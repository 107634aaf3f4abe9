"""The settings of a model's patterns, shared by its handle and its forward passes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from transformers import PreTrainedModel

from maskplug.attention import AttentionKind, Fallback, Pattern
from maskplug.attention.fallback import count_empty_rows
from maskplug.errors import MaskplugWarning, OptionError
from maskplug.types import BoolArray
from maskplug_hf.attention.modules import AttentionModule, attention_modules


class TrainingTime(NamedTuple):
    """Epoch and step, from 0; progress, from 0 to 1."""

    epoch: int = 0
    step: int = 0
    progress: float = 0.0


@dataclass(eq=False, repr=False)
class AttentionSettings:
    """Settings that determine a model's masks, and the warnings about them, each given once.

    Attributes:
        model: the model.
        patterns: patterns during training, by attention kind ("encoder", "decoder", "cross").
        evaluation: patterns in evaluation mode.
        keep_own, fallback, seed: see :func:`maskplug_hf.attention.use_attention`.
        time: epoch, step and progress.
        listeners: called with the ``AttentionModule`` and the mask at every use of attention.
        compared: attention kinds whose pattern was compared with the model's own mask.
    """

    model: PreTrainedModel
    patterns: Mapping[AttentionKind, Pattern]
    evaluation: Mapping[AttentionKind, Pattern]
    keep_own: bool
    fallback: Fallback | None
    seed: int
    time: TrainingTime = field(default=TrainingTime(), init=False)
    listeners: list[Callable[[AttentionModule, Any], None]] = field(
        default_factory=list, init=False
    )
    compared: set[AttentionKind] = field(default_factory=set, init=False)
    _warned: set[str] = field(default_factory=set, init=False)

    @property
    def seq2seq(self) -> bool:
        """Whether the model has an encoder and a decoder."""
        return bool(getattr(self.model.config, "is_encoder_decoder", False))

    @cached_property
    def attention_kinds(self) -> set[AttentionKind]:
        """The kinds of attention in the model."""
        return {role.attention_kind for _, role in attention_modules(self.model)}

    def warn_missing_time(self, patterns: Iterable[Pattern]) -> None:
        """Warn about patterns that change during training while no time is set."""
        changing = [pattern for pattern in patterns if pattern.is_dynamic]
        if changing:
            self._warn_once(
                "time",
                f"pattern {changing[0]} changes during training, but its time was never set: the "
                "mask stays as at the start of training. Call follow(trainer) on the object that "
                "use_attention returned, or set_time(…) before each step; for a trained model "
                "call set_time(progress=1.0)",
            )

    def warn_empty_rows(self, kind: AttentionKind, empty: BoolArray) -> None:
        """Warn about queries without a visible key: bool of shape (batch, heads, q_len).

        Raises:
            OptionError: with ``fallback="error"``.
        """
        message = f"the {kind!r} pattern hides every key from {count_empty_rows(empty)}"
        if self.fallback == "error":
            raise OptionError(message)
        first = kind == "cross" or self.fallback == "first"
        target = "the first token" if first else "themselves"
        self._warn_once(f"empty {kind}", f"{message}; such queries attend to {target}")

    def warn_if_pattern_only_adds(
        self, kind: AttentionKind, model_mask: Any, pattern_mask: Any, real: Any
    ) -> None:
        """Warn, at the first mask of a kind, about a pattern that only adds to the model's mask.

        An example is a prefix pattern in a causal model. Symmetric patterns (windows to both sides,
        documents) are skipped: they are used with any model, and a short text may fill the window.
        The masks are bool tensors of shape (batch, heads, q_len, kv_len); ``real`` is False for
        padding, of shape (batch or 1, kv_len).
        """
        q_len, kv_len = model_mask.shape[-2:]
        if kind in self.compared or q_len != kv_len or q_len == 1:
            return
        self.compared.add(kind)
        both = real[:, None, None] & real[:, None, :, None]
        hides = (model_mask & ~pattern_mask & both).any()
        adds = (pattern_mask & ~model_mask & both).any()
        if adds and not hides and ((pattern_mask != pattern_mask.mT) & both).any():
            self._warn_once(
                f"adds {kind}",
                f"the {kind!r} pattern hides no key that {type(self.model).__name__}'s own mask "
                "shows, and the keys that it adds stay hidden: set keep_own=False to use the "
                "pattern alone",
            )

    def _warn_once(self, topic: str, message: str) -> None:
        if topic not in self._warned:
            self._warned.add(topic)
            warnings.warn(message, MaskplugWarning, stacklevel=2)
