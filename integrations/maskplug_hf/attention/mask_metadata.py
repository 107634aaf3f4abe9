"""The forward pass that requests masks, and the metadata that it attaches to each mask."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from weakref import WeakSet

import numpy as np

from maskplug.attention import AttentionKind, Intervals, Pattern
from maskplug.context import MaskingContext
from maskplug.errors import TokenError
from maskplug.rng import keys_of
from maskplug.types import BoolArray
from maskplug_hf.attention.settings import AttentionSettings, TrainingTime

#: The forward pass that is running in this thread.
RUNNING: ContextVar[ForwardPass | None] = ContextVar("maskplug_forward", default=None)
_ATTRIBUTE = "_maskplug_mask_metadata"


@dataclass(eq=False)
class ForwardPass:
    """A forward pass of a model: its patterns, its time, and the columns of its batch."""

    settings: AttentionSettings
    owner: Any  # the outermost module; the pass ends with its forward
    patterns: Mapping[AttentionKind, Pattern]  # other attention kinds keep the model's own mask
    time: TrainingTime
    columns: Mapping[str, Any]
    given_columns: Mapping[str, Any]  # of PatternAttention.given, for several passes
    position_ids: Any  # int64 of shape (batch or 1, tokens), or None
    outer: ForwardPass | None  # the pass of another model with patterns that contains this one
    #: Offset and validity of the decoder's queries, set before cross-attention.
    decoder_queries: tuple[int, BoolArray] | None = None
    rendered: dict[Any, Any] = field(default_factory=dict)
    requested: WeakSet[MaskMetadata] = field(default_factory=WeakSet)

    @property
    def sample_keys(self) -> Any:
        """The sample keys: one per sample, or one per token in packed rows; None without."""
        keys = self.columns.get("sample_keys", self.given_columns.get("sample_keys"))
        return None if keys is None else np.asarray(keys)

    def context(self, batch_size: int) -> MaskingContext:
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
        return MaskingContext.at(self.settings.seed, epoch, step, keys, progress)

    def only_metadata(self, shape: Any) -> MaskMetadata | None:
        """Return the metadata of a mask of this shape that was copied, as to another device.

        None if there is cross-attention or masks of several lengths: the mask may be any of them.
        """
        lengths = {metadata.lengths for metadata in self.requested}
        if len(lengths) != 1 or "cross" in self.settings.attention_kinds:
            return None
        metadata = next(iter(self.requested))
        expected = metadata.q_len, metadata.kv_len - metadata.kv_offset
        return metadata if shape[-2:] == expected else None


@dataclass(eq=False)
class MaskMetadata:
    """Lengths, offsets and padding of a mask, as transformers requested it.

    Key indices count from the first token ever cached, whether or not the cache still holds it.
    For flex attention, this object takes the place of the mask inside the model.
    """

    batch_size: int
    q_len: int
    kv_len: int  # includes the keys that a sliding-window cache has dropped
    q_offset: int  # key index of the first query; 0 without a cache and in cross-attention
    kv_offset: int  # number of keys that a sliding-window cache has dropped
    padding: Any  # the attention mask as a tensor of two dimensions, or None
    forward: ForwardPass | None  # None outside of a forward pass
    model_mask: Intervals | None = None  # of flex attention; padding counts as visible
    masks: dict[Any, Any] = field(default_factory=dict)  # the masks made from this one
    uses: int = 0  # counted where layers share modules

    @classmethod
    def of_request(cls, arguments: Mapping[str, Any]) -> MaskMetadata:
        """Return the metadata of a mask that transformers requests with these arguments."""
        q_offset, kv_offset = (arguments.get(name, 0) for name in ("q_offset", "kv_offset"))
        forward = RUNNING.get()
        metadata = cls(
            arguments["batch_size"],
            arguments["q_length"],
            kv_offset + arguments["kv_length"],
            int(q_offset),
            kv_offset,
            arguments.get("attention_mask"),
            forward,
        )
        if forward is not None:
            forward.requested.add(metadata)
        return metadata

    @property
    def q_end(self) -> int:
        """The key index after the last query."""
        return self.q_offset + self.q_len

    @property
    def lengths(self) -> tuple[int, ...]:
        """Batch size, lengths and offsets."""
        return self.batch_size, self.q_len, self.kv_len, self.q_offset, self.kv_offset

    @cached_property
    def valid(self) -> BoolArray:
        """The keys that are not padding: bool of shape (batch or 1, kv_len)."""
        if self.padding is None:
            return np.ones((1, self.kv_len), np.bool_)
        mask = self.padding.detach().cpu().numpy() != 0
        valid = np.zeros((len(mask), self.kv_len), np.bool_)
        valid[:, : mask.shape[1]] = mask[:, : self.kv_len]
        return valid

    def real(self, kind: AttentionKind) -> BoolArray:
        """Return the keys that hold a token: bool of shape (batch or 1, kv_len)."""
        if kind == "cross":
            return self.valid
        # A static cache has unused room after the last query.
        return self.valid & (np.arange(self.kv_len) < self.q_end)

    def attach(self, mask: Any) -> None:
        """Attach the metadata to a mask's storage.

        Views and slices share it, and so does the detached copy that reentrant checkpointing passes
        to the second forward.
        """
        setattr(mask.untyped_storage(), _ATTRIBUTE, self)


def metadata_of(mask: Any) -> MaskMetadata | None:
    """Return the metadata of a mask, or None when it has none."""
    if isinstance(mask, MaskMetadata):
        return mask
    storage = getattr(mask, "untyped_storage", None)
    return None if storage is None else getattr(storage(), _ATTRIBUTE, None)
