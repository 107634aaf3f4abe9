"""Small strategies whose outputs are of every kind, and easy to foretell."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import maskplug
from maskplug import Masked, Ragged, Selection, TokenBatch, Vocabulary, part
from maskplug.strategies.composed import Composed
from maskplug.targets import Labels


def places(rows: Ragged | TokenBatch) -> Any:
    """The place of every token in its row."""
    return np.concatenate([np.zeros(0, np.int64), *(np.arange(n) for n in rows.lengths)])


@dataclass(frozen=True)
class Scores(maskplug.Selector):
    """Chooses the tokens whose score is above a half."""

    required_annotations = ("scores",)

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Any) -> Selection:
        chosen = (tokens.annotations["scores"] > 0.5) & vocab.maskable(tokens)
        return Selection.from_mask(chosen, tokens)


@dataclass(frozen=True)
class Reversed(maskplug.Replacement):
    """Every row backwards, behind a new mask token."""

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Any
    ) -> Ragged:
        sources = [
            np.concatenate(([-1], np.arange(start, end)[::-1]))
            for start, end in zip(tokens.offsets, tokens.offsets[1:], strict=False)
        ]
        flat = np.concatenate(sources)
        ids = np.full(len(flat), vocab.require_mask("reversed"))
        ids[flat >= 0] = tokens.ids[flat[flat >= 0]]
        return Ragged(ids, tokens.offsets + np.arange(len(tokens) + 1), flat)


@dataclass(frozen=True)
class Ordered(maskplug.Target):
    """The chosen tokens, from the last to the first."""

    def build(self, tokens: TokenBatch, masked: Masked, *rest: Any) -> Masked:
        selection = masked.selection
        masked = Labels().build(tokens, masked, *rest)
        order = np.full(len(tokens.ids), -1)
        for row, count in enumerate(selection.counts):
            mine = selection.starts[selection.rows == row]
            order[mine] = np.arange(count)[::-1]
        return replace(masked, annotations={"order": order})


@dataclass(frozen=True)
class Weighted(maskplug.Target):
    """Every label weighs its place in the row."""

    target: maskplug.Target = field(default_factory=Labels)

    def build(self, tokens: TokenBatch, masked: Masked, *rest: Any) -> Masked:
        inputs = masked.inputs
        masked = self.target.build(tokens, masked, *rest)
        assert masked.labels is not None
        weights = np.where(masked.labels.values >= 0, places(inputs), 0.0)
        return replace(masked, weights=weights)


@dataclass(frozen=True)
class Placed(maskplug.Target):
    """Layers of every type."""

    def build(self, tokens: TokenBatch, masked: Masked, *rest: Any) -> Masked:
        inputs = masked.inputs
        masked = Labels().build(tokens, masked, *rest)
        at = places(inputs)
        annotations = {"position_ids": at // 2, "langs": at % 2, "nearness": at / 4}
        return replace(masked, annotations=annotations)


@dataclass(frozen=True)
class Everything(maskplug.Target):
    """Predicts every input, as language models do."""

    def build(self, tokens: TokenBatch, masked: Masked, *rest: Any) -> Masked:
        selection, inputs = masked.selection, masked.inputs
        return Masked(inputs, selection, labels=Ragged(inputs.values, inputs.offsets))


@dataclass(frozen=True)
class Fragment(maskplug.Target):
    """The chosen tokens, with what a decoder reads and where it stands."""

    def build(self, tokens: TokenBatch, masked: Masked, *rest: Any) -> Masked:
        selection, inputs = masked.selection, masked.inputs
        targets = Ragged(tokens.ids[selection.starts], selection.offsets)
        annotations = {
            "decoder_input_ids": tokens.ids[np.maximum(selection.starts - 1, 0)],
            "position_ids": places(tokens)[selection.starts],
        }
        return Masked(inputs, selection, targets=targets, target_annotations=annotations)


def made(
    name: str,
    target: Any,
    selector: Any = None,
    replacement: Any = None,
    clock: str = "never",
) -> maskplug.Strategy:
    """A strategy of such parts under a name."""
    return Composed(
        part("selector", "exact", rate=0.3) if selector is None else selector,
        part("replacement", "mix") if replacement is None else replacement,
        target if isinstance(target, maskplug.Target) else part("target", target),
        part("clock", clock),
        label=f"{name}@1",
        options={},
    )


def ordered(**options: Any) -> maskplug.Strategy:
    return made("ordered", Ordered(), **options)


def weighted(**options: Any) -> maskplug.Strategy:
    return made("weighted", Weighted(), **options)


def placed(**options: Any) -> maskplug.Strategy:
    return made("placed", Placed(), **options)


def causal(**options: Any) -> maskplug.Strategy:
    return made("causal", Everything(), **{"replacement": Reversed(), **options})


def fragment(**options: Any) -> maskplug.Strategy:
    return made("fragment", Fragment(), **options)


def deleted(target: Any = "original", **options: Any) -> maskplug.Strategy:
    replacement = part("replacement", "delete")
    return made("deleted", target, replacement=replacement, **options)


def scored(**options: Any) -> maskplug.Strategy:
    return made("scored", "labels", selector=Scores(), **options)
