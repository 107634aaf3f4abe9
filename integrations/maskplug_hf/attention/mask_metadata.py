"""Metadata attached to a mask: what transformers passed when it requested the mask."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from maskplug.arrays import BoolArray
from maskplug.attention import Intervals, Place
from maskplug_hf.attention.forward import RUNNING, ForwardPass

_ATTRIBUTE = "_maskplug_mask_metadata"


@dataclass(eq=False)
class MaskMetadata:
    """Lengths, offsets and padding of a mask.

    Key indices count from the first token ever cached, whether or not the cache still holds it.

    Attributes:
        batch_size, q_len: batch size and number of queries.
        kv_len: number of keys, those dropped by a sliding-window cache included.
        q_offset: key index of the first query; 0 without a cache and in cross-attention.
        kv_offset: number of keys dropped by a sliding-window cache.
        padding: the attention mask as a tensor of two dimensions, or None without padding.
        forward: the forward pass that requested the mask, or None outside of a pass.
        masks: masks made from this one, by attention kind, heads, device and layer.
        uses: number of uses so far; counted where layers share modules.
    """

    batch_size: int
    q_len: int
    kv_len: int
    q_offset: int
    kv_offset: int
    padding: Any
    forward: ForwardPass | None
    masks: dict[Any, Any] = field(default_factory=dict)
    uses: int = 0

    @classmethod
    def of_request(
        cls,
        batch_size: int,
        q_length: int,
        kv_length: int,
        q_offset: Any = 0,
        kv_offset: int = 0,
        attention_mask: Any = None,
        **options: Any,
    ) -> MaskMetadata:
        """Return the metadata of a mask that transformers requests with these arguments."""
        forward = RUNNING.get()
        kv_len, q_offset = kv_offset + kv_length, int(q_offset)
        lengths = (batch_size, q_length, kv_len, q_offset, kv_offset)
        metadata = cls(*lengths, attention_mask, forward)
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

    def real(self, kind: Place) -> BoolArray:
        """Return the keys that hold a token: bool of shape (batch or 1, kv_len)."""
        if kind == "cross":
            return self.valid
        # A static cache has unused room after the last query.
        return self.valid & (np.arange(self.kv_len) < self.q_end)


@dataclass(eq=False)
class LazyMask:
    """Stands for a mask inside the model where no matrix is computed (flex attention).

    Attributes:
        metadata: the metadata of the mask.
        model_mask: the model's own mask, in which padding counts as visible.
    """

    metadata: MaskMetadata
    model_mask: Intervals


def attach_metadata(mask: Any, metadata: MaskMetadata) -> None:
    """Attach metadata to a mask's storage.

    Views and slices share it, and so does the detached copy that reentrant checkpointing passes to
    the second forward.
    """
    setattr(mask.untyped_storage(), _ATTRIBUTE, metadata)


def metadata_of(mask: Any) -> MaskMetadata | None:
    """Return the metadata of a mask, or None when it has none."""
    if isinstance(mask, LazyMask):
        return mask.metadata
    storage = getattr(mask, "untyped_storage", None)
    return None if storage is None else getattr(storage(), _ATTRIBUTE, None)


def only_metadata(forward: ForwardPass, shape: Any) -> MaskMetadata | None:
    """Return the metadata of a mask of this shape that was copied, for example to another device.

    None if the pass has cross-attention or masks of several lengths: the mask may be any of them.
    """
    lengths = {metadata.lengths for metadata in forward.requested}
    if len(lengths) != 1 or "cross" in forward.settings.attention_kinds:
        return None
    metadata: MaskMetadata = next(iter(forward.requested))
    expected = metadata.q_len, metadata.kv_len - metadata.kv_offset
    return metadata if shape[-2:] == expected else None
