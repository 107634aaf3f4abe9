"""Replacements, targets and a strategy with one defect each, of the kinds that plugins have."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from maskplug import Masked, Ragged, Selection, TokenBatch, Vocabulary
from maskplug.context import MaskingContext
from maskplug.parts import Replacement, Target
from maskplug.replacements import Delete
from maskplug.replacements.rewritten import one_each, rewritten
from maskplug.rng import Rng
from maskplug.strategies.composed import Composed
from maskplug.targets import IGNORE, Labels
from maskplug.targets.gathered import gathered
from support.synthetic import BehindSentinels, Insert, Weighted, ordinals


@dataclass(frozen=True)
class Scribbling(Replacement):
    """Writes into the caller's array, and mends that afterwards or does not."""

    mends: bool

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        ids, before = tokens.ids, tokens.ids.copy()
        ids.flags.writeable = True
        ids[selection.mask] = vocab.require_mask("the test")
        made = Ragged(ids.copy(), tokens.offsets)
        if self.mends:
            ids[:] = before
        return made


@dataclass(frozen=True)
class Torn(Replacement):
    """Leaves tokens out and does not tell which."""

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        made = Delete().replace(tokens, selection, vocab, rng)
        return Ragged(made.values, made.offsets)


@dataclass(frozen=True)
class Layered(Target):
    """A layer of numbers that are none."""

    def build(self, tokens: TokenBatch, masked: Masked, vocab: Vocabulary, rng: Rng) -> Masked:
        selection, inputs = masked.selection, masked.inputs
        made = Labels().build(tokens, masked, vocab, rng)
        return Masked(
            inputs, selection, made.labels, annotations={"x": np.full(len(tokens.ids), np.nan)}
        )


@dataclass(frozen=True)
class From(Replacement):
    """Random tokens from a range of ids, as many as ``beyond`` of which do not exist."""

    beyond: int

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        out = tokens.ids.copy()
        high = vocab.size + self.beyond
        out[selection.mask] = rng.integers("id", selection.counts, high)
        return Ragged(out, tokens.offsets)


@dataclass(frozen=True, repr=False)
class Overlapping(Composed):
    """Tells of spans of two tokens that may begin at neighbours."""

    def mask(self, tokens: TokenBatch, vocab: Vocabulary, context: MaskingContext) -> Masked:
        made = super().mask(tokens, vocab, context)
        spans = made.selection
        ends = np.repeat(tokens.offsets[1:], spans.counts)
        longer = np.minimum(2, ends - spans.starts)
        return replace(made, selection=replace(spans, lengths=longer))


@dataclass(frozen=True)
class Besides(Replacement):
    """Masks the token behind each chosen one as well, where that is an ordinary one."""

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        out = tokens.ids.copy()
        after = np.concatenate(([False], selection.mask[:-1])) & ~vocab.special[tokens.ids]
        out[selection.mask | after] = vocab.require_mask("the test")
        return Ragged(out, tokens.offsets)


@dataclass(frozen=True)
class Growing(Insert):
    """Inserts, and says that no row gets longer."""

    def bound(self, lengths, most):  # type: ignore[no-untyped-def]
        return lengths


@dataclass(frozen=True)
class FromInputs(Target):
    """Takes the labels from the inputs."""

    def build(self, tokens: TokenBatch, masked: Masked, vocab: Vocabulary, rng: Rng) -> Masked:
        selection, inputs = masked.selection, masked.inputs
        labels = np.where(selection.mask, inputs.values, IGNORE)
        return Masked(inputs, selection, Ragged(labels, tokens.offsets))


@dataclass(frozen=True)
class Everywhere(Target):
    """Predicts every token, chosen or not."""

    def build(self, tokens: TokenBatch, masked: Masked, vocab: Vocabulary, rng: Rng) -> Masked:
        selection, inputs = masked.selection, masked.inputs
        return Masked(inputs, selection, Ragged(tokens.ids, tokens.offsets))


@dataclass(frozen=True)
class Dropping(Replacement):
    """Leaves out the first token of each row that has one, whatever was chosen."""

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        counts = np.minimum(tokens.lengths, 1)
        first = Selection(
            tokens.offsets[:-1][counts > 0],
            np.ones(counts.sum(), np.int64),
            np.concatenate(([0], np.cumsum(counts))),
            len(tokens.ids),
        )
        return Delete().replace(tokens, first, vocab, rng)


@dataclass(frozen=True)
class Heavy(Target):
    """Weights for tokens that are not predicted, or infinite ones."""

    infinite: bool

    def build(self, tokens: TokenBatch, masked: Masked, vocab: Vocabulary, rng: Rng) -> Masked:
        selection, inputs = masked.selection, masked.inputs
        made = Weighted().build(tokens, masked, vocab, rng)
        assert made.weights is not None
        weights = np.where(made.weights > 0, np.inf, 0) if self.infinite else 1 + made.weights
        return Masked(inputs, selection, made.labels, weights=weights)


@dataclass(frozen=True)
class Backwards(BehindSentinels):
    """The last span stands behind the first sentinel."""

    def build(self, tokens: TokenBatch, masked: Masked, vocab: Vocabulary, rng: Rng) -> Masked:
        selection, inputs = masked.selection, masked.inputs
        last = np.repeat(selection.counts, selection.counts) - 1
        heads = vocab.sentinel_ids[last - ordinals(selection)]
        return Masked(inputs, selection, targets=gathered(tokens, selection, heads, vocab.eos_id))


@dataclass(frozen=True)
class Shortened(BehindSentinels):
    """The last token of every span is never asked for."""

    def build(self, tokens: TokenBatch, masked: Masked, vocab: Vocabulary, rng: Rng) -> Masked:
        selection, inputs = masked.selection, masked.inputs
        less = (selection.starts, selection.lengths - 1, selection.offsets)
        made = super().build(tokens, Masked(inputs, Selection(*less, selection.size)), vocab, rng)
        return Masked(inputs, selection, targets=made.targets)


@dataclass(frozen=True)
class Rising(Replacement):
    """Takes the sentinels by their ids, from the lowest upwards."""

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        order = np.sort(vocab.sentinel_ids)
        return rewritten(tokens, selection, one_each(selection, order[ordinals(selection)]))


@dataclass(frozen=True)
class Aimless(Target):
    """Says nothing of what to predict."""

    def build(self, tokens: TokenBatch, masked: Masked, vocab: Vocabulary, rng: Rng) -> Masked:
        selection, inputs = masked.selection, masked.inputs
        return Masked(inputs, selection)


@dataclass(frozen=True)
class LooksMasked(Target):
    """Predicts wherever the inputs look masked."""

    def build(self, tokens: TokenBatch, masked: Masked, vocab: Vocabulary, rng: Rng) -> Masked:
        selection, inputs = masked.selection, masked.inputs
        labels = np.where(inputs.values == vocab.mask_id, tokens.ids, IGNORE)
        return Masked(inputs, selection, Ragged(labels, tokens.offsets))


@dataclass(frozen=True)
class AnyMask(Replacement):
    """Writes the mask, or id 0 where there is none."""

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        out = tokens.ids.copy()
        out[selection.mask] = vocab.mask_id or 0
        return Ragged(out, tokens.offsets)
