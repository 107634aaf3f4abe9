"""Attention within sentences and sections, and to the first tokens of sections."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.attention.call import AttentionCall
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.types import BoolArray


@dataclass(frozen=True)
class Sentence(Pattern):
    """A query attends to its own sentence, and optionally to the first tokens of all sections.

    Args:
        heads: whether all queries also attend to the first token of every section.

    Needs the annotation ``sentence_starts``: one value per key, 1 at the first token of a sentence
    and 0 elsewhere; with ``heads`` also ``section_starts``, likewise. A sample's first token always
    starts a sentence and a section.

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

    def rows(self, call: AttentionCall) -> Intervals:
        call.refuse_cross("sentence", "queries are not in the sentences of the keys")
        rows = _runs(call, _starts(call, "sentence_starts", "sentence"))
        if not self.heads:
            return rows
        return rows | Intervals.of_mask(_starts(call, "section_starts", "sentence")[:, None, None])


@dataclass(frozen=True)
class Section(Pattern):
    """A query attends to its own section, and to the first token of every other section.

    Args:
        heads: whether the first tokens of other sections are visible.

    Needs the annotation ``section_starts``: one value per key, 1 at the first token of a section
    and 0 elsewhere. A sample's first token always starts a section.

    Source: as :class:`Sentence`.

    Example:
        >>> Section().dense(4, section_starts=[1, 0, 1, 0])[0, 0].astype(int)
        array([[1, 1, 1, 0], [1, 1, 1, 0], [1, 0, 1, 1], [1, 0, 1, 1]])
    """

    heads: bool = True

    required_annotations = ("section_starts",)

    def rows(self, call: AttentionCall) -> Intervals:
        call.refuse_cross("section", "queries are not in the sections of the keys")
        starts = _starts(call, "section_starts", "section")
        rows = _runs(call, starts)
        return rows | Intervals.of_mask(starts[:, None, None]) if self.heads else rows


def _starts(call: AttentionCall, annotation: str, who: str) -> BoolArray:
    """Return the first tokens of sentences or sections, without padding: (batch or 1, kv_len)."""
    starts: BoolArray = call.in_sample & ((call.per_token(annotation, who) != 0) | (call.k == 0))
    return starts


def _runs(call: AttentionCall, starts: BoolArray) -> Intervals:
    """Return each query's run of keys between two starts; padding on each side is a run."""
    end = call.k == call.lengths[:, None]
    numbers = np.cumsum(starts | end, axis=1)
    return Intervals.of_equal(numbers[:, call.q_slice], numbers)
