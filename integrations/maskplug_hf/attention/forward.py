"""One forward pass: its time, and what its batch says of the tokens."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import numpy as np

from maskplug.attention import AttentionKind, Pattern
from maskplug.context import MaskingContext
from maskplug.errors import TokenError
from maskplug.rng import keys_of
from maskplug.types import BoolArray, UintArray
from maskplug_hf.attention.facts import MaskFacts
from maskplug_hf.attention.moment import Time

if TYPE_CHECKING:
    from maskplug_hf.attention.handle import PatternAttention

#: The pass that is running, in this thread.
RUNNING: ContextVar[Forward | None] = ContextVar("maskplug_forward", default=None)


@dataclass(eq=False)
class Forward:
    """A pass through a model.

    Attributes:
        attention: whose patterns they are.
        owner: the outermost module, with which the pass ends.
        patterns: by place; a place without one keeps the model's own rule.
        time: when it is.
        columns: what the batch says besides the model's inputs, as numpy arrays.
        lasting: what was given for many passes; its last column holds for all later tokens.
        positions: int64 of shape (batch or 1, tokens), or None.
        outer: the pass of another model's patterns that this one is part of.
        decoder: the offset and the valid tokens of the decoder's queries, known from the
            self-attention that comes before cross attention.
        seen: what the patterns showed, by all that it depends on.
        asked: the facts of all masks that were asked for.
    """

    attention: PatternAttention
    owner: Any
    patterns: Mapping[AttentionKind, Pattern]
    time: Time
    columns: Mapping[str, Any]
    lasting: Mapping[str, Any] = field(default_factory=dict)
    positions: Any = None
    outer: Forward | None = None
    decoder: tuple[int, BoolArray] | None = None
    seen: dict[Any, Any] = field(default_factory=dict)
    asked: WeakSet[MaskFacts] = field(default_factory=WeakSet)

    def context(self, batch: int) -> MaskingContext:
        """The time of every sample.

        Raises:
            TokenError: when there are keys, and not one for each.
        """
        time = self.time
        return MaskingContext.at(
            self.attention.seed, time.epoch, time.step, self._keys(batch), time.progress
        )

    @property
    def sample_keys(self) -> Any:
        """The keys that were given: one a sample, or in packed rows one a token; or None."""
        given = self.columns.get("sample_keys", self.lasting.get("sample_keys"))
        return None if given is None else np.asarray(given)

    def offset(self, place: AttentionKind, facts: MaskFacts) -> int:
        """How many tokens stand before the first query: in cross attention, the decoder's."""
        return self.decoder[0] if place == "cross" and self.decoder else facts.offset

    def only_facts(self, shape: Any) -> MaskFacts | None:
        """The facts of a mask that was copied on its way, to another device say.

        None unless all masks of this pass stand to the tokens in one way, so that no other can be
        meant: in models with one stack, and without cross attention.

        Args:
            shape: of the mask.
        """
        ways = {(f.batch, f.queries, f.keys, f.offset, f.dropped) for f in self.asked}
        if len(ways) != 1 or "cross" in self.attention.places:
            return None
        facts = next(iter(self.asked))
        return facts if shape[-2:] == (facts.queries, facts.keys - facts.dropped) else None

    def _keys(self, batch: int) -> UintArray:
        # Not by content: a generated text grows, and its mask would be drawn anew at each token.
        given = self.sample_keys
        if given is None or given.ndim == 2:  # the documents of packed rows have keys of their own
            return np.zeros(batch, np.uint64)
        keys = given.astype(np.uint64) if given.dtype.kind in "iu" else keys_of(given.tolist())
        if batch % max(len(keys), 1):
            raise TokenError(f"there are {len(keys)} 'sample_keys' for {batch} samples")
        return np.repeat(keys, batch // len(keys))  # beams of one sample share its key
