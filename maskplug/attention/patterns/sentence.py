"""Sentences and sections, each of which keeps to itself; and their heads, which all can see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.patterns.cross import refuse_cross
from maskplug.attention.site import AttentionCall
from maskplug.types import BoolArray, readonly


@dataclass(frozen=True)
class Sentence(Pattern):
    """A query sees its own sentence, and the heads of all sections where they are asked for.

    Args:
        heads: whether all queries see the first token of every section, too: what a summary is
            made from flows through these.

    Reads the layer ``sentence_starts``: one value a key, 1 where a sentence begins and 0 elsewhere.
    With ``heads`` also ``section_starts``, likewise. A sample's first token begins a sentence and a
    section in any case.

    Source: after the hierarchical encoder of Cohan et al., "A discourse-aware attention model for
    abstractive summarization of long documents", 2018.

    Example:
        >>> Sentence().dense(3, sentence_starts=[1, 0, 1])[0, 0].astype(int)
        array([[1, 1, 0], [1, 1, 0], [0, 0, 1]])
    """

    heads: bool = False

    @property
    def required_annotations(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("sentence_starts", "section_starts") if self.heads else ("sentence_starts",)

    def rows(self, site: AttentionCall) -> Intervals:
        refuse_cross(site, "sentence", "a query stands in no sentence of the keys")
        own = _runs(site, _begins(site, "sentence_starts", "sentence"))
        if not self.heads:
            return own
        return own | _seen_by_all(_begins(site, "section_starts", "sentence"))


@dataclass(frozen=True)
class Section(Pattern):
    """A query sees its own section, and the first token of every other.

    Args:
        heads: false for the own section alone.

    Reads the layer ``section_starts``: one value a key, 1 where a section begins and 0 elsewhere. A
    sample's first token begins one in any case.

    Source: as :class:`Sentence`.

    Example:
        >>> Section().dense(4, section_starts=[1, 0, 1, 0])[0, 0].astype(int)
        array([[1, 1, 1, 0], [1, 1, 1, 0], [1, 0, 1, 1], [1, 0, 1, 1]])
    """

    heads: bool = True

    required_annotations = ("section_starts",)

    def rows(self, site: AttentionCall) -> Intervals:
        refuse_cross(site, "section", "a query stands in no section of the keys")
        begins = _begins(site, "section_starts", "section")
        own = _runs(site, begins)
        return own | _seen_by_all(begins) if self.heads else own


def _begins(site: AttentionCall, layer: str, who: str) -> BoolArray:
    """Where something begins: bool of shape (batch or 1, keys); nothing does in padding."""
    begins: BoolArray = site.own & ((site.per_token(layer, who) != 0) | (site.k == 0))
    return begins


def _runs(site: AttentionCall, begins: BoolArray) -> Intervals:
    """Each query's run of keys, from one beginning to the next; padding on either side is one."""
    from maskplug.kernels.intervals import grown
    from maskplug.kernels.numbered import same

    behind = site.k == site.lengths[:, None]
    numbers = readonly(np.cumsum(begins | behind, axis=1), np.int64)
    queries = readonly(numbers[:, site.here], np.int64)
    shape = (len(numbers), 1, site.q_len)
    return Intervals.from_kernel(site.kv_len, shape, grown(same, queries, numbers))


def _seen_by_all(keys: BoolArray) -> Intervals:
    """Single keys, in one row that stands for all queries."""
    return Intervals.of_mask(keys[:, None, None])
