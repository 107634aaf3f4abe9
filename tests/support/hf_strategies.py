"""Small strategies with every kind of output, which tests can predict."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

import maskplug
from maskplug import Masked, Ragged, Selection, TokenBatch, Vocabulary, part
from maskplug.strategies.composed import Composed
from maskplug.targets import Labels


def positions(rows: Ragged | TokenBatch) -> Any:
    """The position of every token in its row."""
    return np.concatenate([np.zeros(0, np.int64), *(np.arange(n) for n in rows.lengths)])


@dataclass(frozen=True)
class AboveHalf(maskplug.Selector):
    """Selects the maskable tokens for which an annotation is above a half."""

    annotation: str = "scores"
    required: bool = True

    @property
    def required_annotations(self) -> tuple[str, ...]:  # type: ignore[override]
        return (self.annotation,) if self.required else ()

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Any) -> Selection:
        values = tokens.annotations.get(self.annotation, np.zeros(len(tokens.ids)))
        return Selection.from_mask((values > 0.5) & vocab.maskable(tokens), tokens)


@dataclass(frozen=True)
class Reversed(maskplug.Replacement):
    """Each row in reverse order, after a new mask token."""

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
    """Predicts the selected tokens, from the last to the first."""

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
    """The weight of each label is its position in the row."""

    target: maskplug.Target = field(default_factory=Labels)

    def build(self, tokens: TokenBatch, masked: Masked, *rest: Any) -> Masked:
        inputs = masked.inputs
        masked = self.target.build(tokens, masked, *rest)
        assert masked.labels is not None
        weights = np.where(masked.labels.values >= 0, positions(inputs), 0.0)
        return replace(masked, weights=weights)


@dataclass(frozen=True)
class Placed(maskplug.Target):
    """Annotations of every type."""

    def build(self, tokens: TokenBatch, masked: Masked, *rest: Any) -> Masked:
        inputs = masked.inputs
        masked = Labels().build(tokens, masked, *rest)
        at = positions(inputs)
        annotations = {"position_ids": at // 2, "langs": at % 2, "nearness": at / 4}
        return replace(masked, annotations=annotations)


@dataclass(frozen=True)
class Everything(maskplug.Target):
    """Predicts every input, as causal language models do."""

    def build(self, tokens: TokenBatch, masked: Masked, *rest: Any) -> Masked:
        selection, inputs = masked.selection, masked.inputs
        return Masked(inputs, selection, labels=Ragged(inputs.values, inputs.offsets))


@dataclass(frozen=True)
class Fragment(maskplug.Target):
    """Predicts the selected tokens, with the inputs and positions of the decoder."""

    def build(self, tokens: TokenBatch, masked: Masked, *rest: Any) -> Masked:
        selection, inputs = masked.selection, masked.inputs
        targets = Ragged(tokens.ids[selection.starts], selection.offsets)
        annotations = {
            "decoder_input_ids": tokens.ids[np.maximum(selection.starts - 1, 0)],
            "position_ids": positions(tokens)[selection.starts],
        }
        return Masked(inputs, selection, targets=targets, target_annotations=annotations)


def composed(
    name: str, target: Any, selector: Any = None, replacement: Any = None
) -> maskplug.Strategy:
    """A static strategy of these parts, with a label."""
    return Composed(
        part("selector", "exact", rate=0.3) if selector is None else selector,
        part("replacement", "mix") if replacement is None else replacement,
        target if isinstance(target, maskplug.Target) else part("target", target),
        part("clock", "never"),
        label=f"{name}@1",
        options={},
    )


ordered = partial(composed, "ordered", Ordered())
weighted = partial(composed, "weighted", Weighted())
placed = partial(composed, "placed", Placed())
causal = partial(composed, "causal", Everything(), replacement=Reversed())
fragment = partial(composed, "fragment", Fragment())


def deleted(target: Any = "original") -> maskplug.Strategy:
    return composed("deleted", target, replacement=part("replacement", "delete"))


def scored(annotation: str = "scores", required: bool = True) -> maskplug.Strategy:
    return composed("scored", "labels", selector=AboveHalf(annotation, required))
