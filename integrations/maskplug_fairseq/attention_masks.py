"""What a kind of attention may see at the present time, as masks of fairseq's polarity."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
import torch

from maskplug.attention import AttentionCall, AttentionKind, Causal, Intervals, Padding, Pattern
from maskplug.attention.fallback import fill_empty_rows
from maskplug.context import MaskingContext
from maskplug.errors import MaskplugWarning
from maskplug.schedule import progress_at
from maskplug.types import BoolArray

#: Layers of a batch of sources, by name: True where something begins; shape (batch, tokens).
Begins = Mapping[str, BoolArray]


@dataclass(frozen=True, eq=False)
class Call:
    """One call of an attention module.

    Attributes:
        queries, keys: their numbers.
        offset: how many tokens were decoded before the first query.
        causal: whether no query may see what comes after it.
        heads: how many there are.
        depth: the layer, from 0.
        valid: bool of shape (batch or 1, keys), True = no padding.
        valid_queries: bool of shape (batch or 1, offset + queries), likewise; only in cross
            attention.
        sentence_starts, section_starts: bool of shape (batch, keys), where they are known.
    """

    queries: int
    keys: int
    offset: int
    causal: bool
    heads: int
    depth: int
    valid: BoolArray
    valid_queries: BoolArray | None = None
    sentence_starts: BoolArray | None = None
    section_starts: BoolArray | None = None

    @property
    def layers(self) -> dict[str, BoolArray]:
        """What is known of the tokens, as patterns read it."""
        names = ("valid", "valid_queries", "sentence_starts", "section_starts")
        given = {name: getattr(self, name) for name in names}
        return {name: layer for name, layer in given.items() if layer is not None}

    def like(self, other: Call, whatever_depth: bool) -> bool:
        """Whether another call asks for the same, apart from the layer where that is nothing."""
        for item in fields(self):
            one, two = getattr(self, item.name), getattr(other, item.name)
            if not np.array_equal(one, two) and not (whatever_depth and item.name == "depth"):
                return False
        return True


class Valid:
    """Which tokens are no padding, from a mask that layers pass on from one to the next.

    It is read once for all of them: on an accelerator, reading it waits for all that was begun.
    """

    def __init__(self) -> None:
        self._last: tuple[torch.Tensor, int, BoolArray] | None = None

    def __call__(self, padding: torch.Tensor | None, length: int) -> BoolArray:
        """True = no padding: bool of shape (batch, length), or (1, length) if there is none."""
        if padding is None:
            return np.ones((1, length), np.bool_)
        age = -1 if padding.is_inference() else padding._version
        if self._last is not None and self._last[0] is padding and self._last[1] == age:
            return self._last[2]
        valid = ~padding.detach().bool().cpu().numpy()
        valid = valid[:1] if valid.all() else valid
        self._last = padding, age, valid
        return valid


class Masks:
    """The masks of one place of a model: encoder, decoder or cross attention.

    All layers share one; what the last call made serves the next where it asks for the same.

    Args:
        place: where.
        pattern: who may see whom.
        seed: of patterns that draw; all samples have the key 0, since fairseq's models do not
            know which samples they are given.
        updates: how many updates schedules take from their start to their end.
    """

    def __init__(
        self, place: AttentionKind, pattern: Pattern, seed: int = 0, updates: int = 0
    ) -> None:
        self.place = place
        self.pattern = pattern
        self.seed = seed
        self.updates = updates
        #: The number of updates so far; what the model was told last.
        self.step = 0
        #: What the encoder read in the sources that it is given, for its own attention.
        self.begins: Begins = {}
        self.valid, self.valid_queries = Valid(), Valid()
        self._told = False
        self._last: tuple[int, Call, bool, torch.Tensor] | None = None

    def hidden(self, call: Call, device: torch.device) -> torch.Tensor:
        """What may not be seen: bool, (batch, heads, queries, keys), True = hidden.

        A batch or head axis of 1 stands for all. Padding among the keys is not hidden here, but
        every query that is no padding is left with a key that is none.
        """
        if self._last is not None:
            step, before, all_depths, made = self._last
            if step == self.step and made.device == device and call.like(before, all_depths):
                return made
        layers = call.layers
        batch = max(map(len, layers.values()))
        progress = progress_at(self.step, self.updates)
        context = MaskingContext.at(self.seed, 0, self.step, np.zeros(batch, np.uint64), progress)
        size = call.queries, call.keys, context, call.heads, call.offset
        by_layer = self.pattern.uses_layer_idx
        site = AttentionCall(*size, self.place, call.depth if by_layer else 0, layers)
        rows = _alike(self._rows(site, call.causal))
        made = torch.from_numpy(~rows.dense()).to(device)
        self._last = self.step, call, not by_layer, made
        return made

    def _rows(self, site: AttentionCall, causal: bool) -> Intervals:
        """Who sees whom, where queries that would see nothing see one key.

        Padding among the queries is left alone: what it sees matters to nobody, and the same mask
        can serve samples of different lengths.
        """
        rows = self.pattern.rows(site)
        if causal:
            rows = rows & Causal().rows(site)
        seen = rows if site.valid.all() else rows & Padding().rows(site)
        lost = (seen.counts == 0) & site.valid_queries[:, None]
        if not lost.any():
            return rows
        self._tell(lost)
        return fill_empty_rows(rows, site, lost, "first" if site.cross else "self")

    def _tell(self, lost: BoolArray) -> None:
        if self._told:
            return
        self._told = True
        sample, _, query = (int(axis[0]) for axis in np.nonzero(lost))
        key = "the first token of the source" if self.place == "cross" else "themselves"
        warnings.warn(
            f"--{self.place}-attention-pattern: {self.pattern} hides every key from "
            f"{int(lost.sum())} of {lost.size} queries (the first: row {sample} of a batch, query "
            f"{query}); they see {key}. This is said once",
            MaskplugWarning,
            stacklevel=4,
        )


def _alike(rows: Intervals) -> Intervals:
    """One mask for all samples, where it is the same for all."""
    arrays = {name: getattr(rows, name) for name in ("lo", "hi", "keys", "phase")}
    given = {name: array for name, array in arrays.items() if array is not None}
    if not all((array == array[:1]).all() for array in given.values()):
        return rows
    return replace(rows, **{name: array[:1] for name, array in given.items()})
