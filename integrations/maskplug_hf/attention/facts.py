"""What travels with a mask: all that transformers told when it asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from maskplug.attention import AttentionKind, Intervals
from maskplug.types import BoolArray

if TYPE_CHECKING:
    from maskplug_hf.attention.forward import Forward

_NAME = "_maskplug_facts"


@dataclass(eq=False)
class MaskFacts:
    """How a mask stands to the tokens. Keys are counted from the first that was ever cached.

    Attributes:
        batch, queries: their numbers.
        keys: how many there are up to the last one, those that a cache has dropped included.
        offset: the key at which the first query stands; 0 without a cache, and in cross attention.
        dropped: how many of the first keys a cache with a sliding window has dropped.
        padding: the attention mask of two dimensions, a tensor, or None without padding.
        forward: the forward pass that asked, or None outside of one.
        masks: what was made of this mask, by place, heads, device and depth.
        used: how often it has been used, counted where layers share modules.
    """

    batch: int
    queries: int
    keys: int
    offset: int
    dropped: int
    padding: Any
    forward: Forward | None
    masks: dict[Any, Any] = field(default_factory=dict)
    used: int = 0

    @cached_property
    def valid(self) -> BoolArray:
        """The keys that are no padding: bool of shape (batch or 1, keys)."""
        if self.padding is None:
            return np.ones((1, self.keys), np.bool_)
        given = self.padding.detach().cpu().numpy() != 0
        valid = np.zeros((len(given), self.keys), np.bool_)
        valid[:, : given.shape[1]] = given[:, : self.keys]
        return valid

    def real(self, place: AttentionKind) -> BoolArray:
        """The keys that are tokens: bool of shape (batch or 1, keys).

        In self-attention, a static cache has room behind the last query.
        """
        if place == "cross":
            return self.valid
        return self.valid & (np.arange(self.keys) < self.offset + self.queries)


@dataclass(eq=False)
class Outline:
    """What stands for a mask on its way through a model where no matrix is to be made.

    Attributes:
        facts: how it stands to the tokens.
        own: what the model shows by its own rule, padding included.
    """

    facts: MaskFacts
    own: Intervals


def kept(store: Mapping[Any, Any], key: Any, depth: int) -> Any:
    """What was made for all layers (depth None), or else for this one; None where nothing was."""
    return store.get((key, None), store.get((key, depth)))


def write(mask: Any, facts: MaskFacts) -> None:
    """Let a mask carry its facts.

    They stand on the storage of the tensor, not on the tensor itself: views and slices of the mask
    keep them, and so does the detached copy that reentrant checkpointing hands to its second pass.
    """
    setattr(mask.untyped_storage(), _NAME, facts)


def read(mask: Any) -> MaskFacts | None:
    """The facts of an outline, or of a mask that :func:`write` has seen; None for all else."""
    if isinstance(mask, Outline):
        return mask.facts
    storage = getattr(mask, "untyped_storage", None)
    return None if storage is None else getattr(storage(), _NAME, None)
