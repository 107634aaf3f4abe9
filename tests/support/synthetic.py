"""Sound strategies of kinds that are rare among the built-in ones, and their parts."""

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
from maskplug.strategies.composed import Composed
from maskplug.targets import Chosen, Labels, Original
from maskplug.targets.gathered import gathered


@dataclass(frozen=True)
class Sentinel(Replacement):
    """Replace each span by the next sentinel."""

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        return rewritten(
            tokens, selection, one_each(selection, vocab.sentinel_ids[selection.numbers])
        )


@dataclass(frozen=True)
class BehindSentinels(Target):
    """Predict each span after its sentinel, then eos."""

    def build(self, tokens: TokenBatch, masked: Masked, vocab: Vocabulary, rng: Rng) -> Masked:
        selection, inputs = masked.selection, masked.inputs
        heads = vocab.sentinel_ids[selection.numbers]
        return Masked(inputs, selection, targets=gathered(tokens, selection, heads, vocab.eos_id))

    def bound(self, lengths, most):  # type: ignore[no-untyped-def]
        return most.tokens + most.spans + 1


@dataclass(frozen=True)
class Gaps(Selector):
    """Choose empty spans before random tokens, for insertions."""

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        places = Exact(0.2).select(tokens, vocab, rng)
        return Selection(places.starts, 0 * places.lengths, places.offsets, places.size)


@dataclass(frozen=True)
class Insert(Replacement):
    """Insert a random token at every empty span."""

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        drawn = rng.integers("insert", selection.counts, len(vocab.ordinary))
        return rewritten(tokens, selection, one_each(selection, vocab.ordinary[drawn]))

    def bound(self, lengths, most):  # type: ignore[no-untyped-def]
        return lengths + most.spans


@dataclass(frozen=True)
class Weighted(Target):
    """Labels with weights 1 / count, and an annotation with positions."""

    def build(self, tokens: TokenBatch, masked: Masked, vocab: Vocabulary, rng: Rng) -> Masked:
        selection, inputs = masked.selection, masked.inputs
        in_place = Labels().build(tokens, masked, vocab, rng)
        weight = np.repeat(1 / np.maximum(selection.counts, 1), tokens.lengths)
        order = np.arange(len(tokens.ids)) - np.repeat(tokens.offsets[:-1], tokens.lengths)
        return Masked(
            inputs,
            selection,
            in_place.labels,
            weights=np.where(selection.mask, weight, 0.0),
            annotations={"order": order},
        )


@dataclass(frozen=True)
class Swap(Replacement):
    """Swap every second chosen token with the one before it."""

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        sources = np.arange(len(tokens.ids))
        odd = selection.numbers % 2 == 1
        second = selection.starts[odd]
        first = selection.starts[np.flatnonzero(odd) - 1]
        sources[first], sources[second] = second, first
        return Ragged(tokens.ids[sources], tokens.offsets, sources)


@dataclass(frozen=True)
class ByScore(Selector):
    """Choose half of the tokens with the maximum score."""

    required_annotations = ("score",)

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        score = tokens.annotations["score"].astype(np.int64)
        best = Selection.from_mask(vocab.maskable(tokens) & (score == 3), tokens)
        drawn = rng.bernoulli("half", best.counts, 0.5)
        return best.take(drawn)


def composed(
    selector: Selector,
    replacement: Replacement,
    target: Target,
    clock: str = "epoch",
    **options: int,
) -> Composed:
    """Compose a strategy without a label, whose parts may have no names."""
    return Composed(selector, replacement, target, maskplug.part("clock", clock, **options))


SOUND: dict[str, maskplug.Strategy] = {
    "deleted and chosen": maskplug.compose("exact", Delete(), Chosen()),
    "deleted from the original": maskplug.compose("spans", "delete", "original"),
    "sentinels": composed(Spans(0.3), Sentinel(), BehindSentinels()),
    "insertions": composed(Gaps(), Insert(), Original(), "step"),
    "weights": composed(Exact(0.5), Mix(1.0, 0.0), Weighted(), "every", k=3),
    "swapped": composed(Exact(0.3), Swap(), Original()),
    "annotation": composed(ByScore(), Mix(), Labels()),
}
#: Their parts are not registered, and a row may have no token with the maximum score.
KNOWN: dict[str, dict[str, str]] = {
    name: {"check_spec_round_trip": "its parts have no names"}
    for name in SOUND
    if not name.startswith("deleted")
}
KNOWN["annotation"]["check_something_is_predicted"] = "no token has the score 3"
