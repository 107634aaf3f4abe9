"""One forward pass: its patterns, its time, and the columns of its batch."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

import numpy as np

from maskplug.arrays import BoolArray
from maskplug.attention import Pattern, Place
from maskplug.errors import TokenError
from maskplug.rng import keys_of
from maskplug.when import When
from maskplug_hf.attention.settings import AttentionSettings, TrainingTime

#: The forward pass that is running in this thread.
RUNNING: ContextVar[ForwardPass | None] = ContextVar("maskplug_forward", default=None)


@dataclass(eq=False)
class ForwardPass:
    """A forward pass of a model.

    Attributes:
        settings: the settings of the model's patterns.
        owner: the outermost module; the pass ends with its forward.
        patterns: by attention kind; kinds without a pattern keep the model's own mask.
        time: epoch, step and progress of the pass.
        columns: columns of the batch that patterns read, as numpy arrays.
        given_columns: columns set by ``PatternAttention.given``, for several passes.
        position_ids: int64 of shape (batch or 1, tokens), or None.
        outer: the pass of another model with patterns that contains this one.
        decoder_queries: offset and validity of the decoder's queries; the decoder's self-attention
            sets them for the cross-attention that follows.
        rendered: rendered patterns, by everything that they depend on.
        requested: the ``MaskMetadata`` of all masks that were requested in this pass.
    """

    settings: AttentionSettings
    owner: Any
    patterns: Mapping[Place, Pattern]
    time: TrainingTime
    columns: Mapping[str, Any]
    given_columns: Mapping[str, Any]
    position_ids: Any
    outer: ForwardPass | None
    decoder_queries: tuple[int, BoolArray] | None = None
    rendered: dict[Any, Any] = field(default_factory=dict)
    requested: WeakSet[Any] = field(default_factory=WeakSet)

    @property
    def sample_keys(self) -> Any:
        """The sample keys: one per sample, or one per token in packed rows; None without."""
        keys = self.columns.get("sample_keys", self.given_columns.get("sample_keys"))
        return None if keys is None else np.asarray(keys)

    def when(self, batch_size: int) -> When:
        """Return seed, time and key of every sample.

        Raises:
            TokenError: when the number of keys does not match the batch.
        """
        # Keys do not depend on the tokens: a generated text grows, and its mask must not change.
        keys = self.sample_keys
        if keys is None or keys.ndim == 2:  # documents of packed rows have their own keys
            keys = np.zeros(batch_size, np.uint64)
        else:
            keys = keys.astype(np.uint64) if keys.dtype.kind in "iu" else keys_of(keys.tolist())
        if batch_size % max(len(keys), 1):
            raise TokenError(
                f"there are {len(keys)} 'sample_keys' for {batch_size} samples; give one per sample"
            )
        keys = np.repeat(keys, batch_size // max(len(keys), 1))  # beams of a sample share its key
        epoch, step, progress = self.time
        return When.at(self.settings.seed, epoch, step, keys, progress)
