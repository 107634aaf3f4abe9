"""Sound strategies of kinds that are rare among the named ones, and the parts that make them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import maskplug
from maskplug import Masked, Ragged, Selection, TokenBatch, Vocabulary
from maskplug.parts import Replacement, Selector, Target
from maskplug.replacements import Delete, Mix
from maskplug.replacements.rewritten import one_each, rewritten
from maskplug.rng import Rng
from maskplug.selectors import Exact, Spans
from maskplug.targets import Chosen, Labels, Original
from maskplug.targets.gathered import gathered
from maskplug.types import offsets_of


def ordinals(selection: Selection) -> np.ndarray:
    """The number of each span within its row."""
    return np.arange(len(selection.starts)) - np.repeat(selection.offsets[:-1], selection.counts)


@dataclass(frozen=True)
class Sentinel(Replacement):
    """Each span becomes the next sentinel."""

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        return rewritten(
            tokens, selection, one_each(selection, vocab.sentinel_ids[ordinals(selection)])
        )


@dataclass(frozen=True)
class BehindSentinels(Target):
    """Each span behind its sentinel, and the end of the sequence."""

    def build(self, tokens: TokenBatch, masked: Masked, vocab: Vocabulary, rng: Rng) -> Masked:
        selection, inputs = masked.selection, masked.inputs
        heads = vocab.sentinel_ids[ordinals(selection)]
        return Masked(inputs, selection, targets=gathered(tokens, selection, heads, vocab.eos_id))

    def bound(self, lengths, most):  # type: ignore[no-untyped-def]
        return most.tokens + most.spans + 1


@dataclass(frozen=True)
class Gaps(Selector):
    """Spans of no length, before tokens drawn at random: places for insertions."""

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        places = Exact(0.2).select(tokens, vocab, rng)
        return Selection(places.starts, 0 * places.lengths, places.offsets, places.size)


@dataclass(frozen=True)
class Insert(Replacement):
    """A random token in every gap."""

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        drawn = rng.integers("insert", selection.counts, len(vocab.ordinary))
        return rewritten(tokens, selection, one_each(selection, vocab.ordinary[drawn]))

    def bound(self, lengths, most):  # type: ignore[no-untyped-def]
        return lengths + most.spans


@dataclass(frozen=True)
class Weighted(Target):
    """Labels in place that weigh more the fewer there are, numbered from the left in a layer."""

    def build(self, tokens: TokenBatch, masked: Masked, vocab: Vocabulary, rng: Rng) -> Masked:
        selection, inputs = masked.selection, masked.inputs
        made = Labels().build(tokens, masked, vocab, rng)
        weight = np.repeat(1 / np.maximum(selection.counts, 1), tokens.lengths)
        order = np.arange(len(tokens.ids)) - np.repeat(tokens.offsets[:-1], tokens.lengths)
        return Masked(
            inputs,
            selection,
            made.labels,
            weights=np.where(selection.mask, weight, 0.0),
            annotations={"order": order},
        )


@dataclass(frozen=True)
class Swap(Replacement):
    """Every second chosen token changes places with the one before it."""

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        sources = np.arange(len(tokens.ids))
        odd = ordinals(selection) % 2 == 1
        second = selection.starts[odd]
        first = selection.starts[np.flatnonzero(odd) - 1]
        sources[first], sources[second] = second, first
        return Ragged(tokens.ids[sources], tokens.offsets, sources)


@dataclass(frozen=True)
class ByLayer(Selector):
    """Half of the tokens whose score, in a layer, is the greatest of all."""

    required_annotations = ("score",)

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        score = tokens.annotations["score"].astype(np.int64)
        best = Selection.from_mask(vocab.maskable(tokens) & (score == 3), tokens)
        drawn = rng.bernoulli("half", best.counts, 0.5)
        return best.take(drawn)


def prefix_mode(tokens: TokenBatch, rows: Ragged, vocab: Vocabulary) -> Ragged:
    """The rows with the mode token "[R]" before each."""
    lengths = rows.lengths + 1
    offsets = offsets_of(lengths)
    head = np.zeros(offsets[-1], np.bool_)
    head[offsets[:-1]] = True
    values = np.full(len(head), vocab.id_of("[R]", "the test"))
    sources = np.full(len(head), -1)
    values[~head] = rows.values
    sources[~head] = np.arange(len(tokens.ids)) if rows.sources is None else rows.sources
    return Ragged(values, offsets, sources)


@dataclass(frozen=True)
class Moded(Replacement):
    """Sentinels for spans, and a mode token at the front."""

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        return prefix_mode(tokens, Sentinel().replace(tokens, selection, vocab, rng), vocab)

    def bound(self, lengths, most):  # type: ignore[no-untyped-def]
        return lengths + 1


SOUND: dict[str, maskplug.Strategy] = {
    "deleted and chosen": maskplug.compose("exact", Delete(), Chosen()),
    "deleted from the original": maskplug.compose("spans", "delete", "original"),
    "sentinels": maskplug.strategies.composed.Composed(
        Spans(0.3), Sentinel(), BehindSentinels(), maskplug.part("clock", "epoch")
    ),
    "mode token": maskplug.strategies.composed.Composed(
        Spans(0.3), Moded(), BehindSentinels(), maskplug.part("clock", "epoch")
    ),
    "insertions": maskplug.strategies.composed.Composed(
        Gaps(), Insert(), Original(), maskplug.part("clock", "step")
    ),
    "weights": maskplug.strategies.composed.Composed(
        Exact(0.5), Mix(1.0, 0.0), Weighted(), maskplug.part("clock", "every", k=3)
    ),
    "swapped": maskplug.strategies.composed.Composed(
        Exact(0.3), Swap(), Original(), maskplug.part("clock", "epoch")
    ),
    "layer": maskplug.strategies.composed.Composed(
        ByLayer(), Mix(), Labels(), maskplug.part("clock", "epoch")
    ),
}
#: Their own parts are not registered, and a row may hold no token of the greatest score.
KNOWN: dict[str, dict[str, str]] = {
    name: {"check_spec_round_trip": "its parts have no names"}
    for name in SOUND
    if not name.startswith("deleted")
}
KNOWN["layer"]["check_something_is_predicted"] = "no token has the score 3"
