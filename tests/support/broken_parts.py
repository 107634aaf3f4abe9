"""Selectors, replacements and targets with one defect each, as real plugins have them."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from maskplug import Masked, Ragged, Selection, TokenBatch, Vocabulary, units
from maskplug.context import MaskingContext
from maskplug.parts import Clock, Replacement, Selector, Target
from maskplug.replacements import Delete
from maskplug.replacements.rewritten import one_each, rewritten
from maskplug.rng import Rng
from maskplug.strategies.composed import Composed
from maskplug.targets import IGNORE, Labels
from maskplug.targets.gathered import gathered
from maskplug.types import IntArray
from support.synthetic import BehindSentinels, Insert, Weighted


def coin(tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
    return rng.uniform("coin", candidates.counts)


@dataclass(frozen=True)
class Drawing(Selector):
    """Choose each token with probability 0.3, by the draws of a function."""

    draw: Callable[[TokenBatch, Selection, Rng], Any] = coin

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        candidates = units(tokens, vocab)
        return candidates.take(np.asarray(self.draw(tokens, candidates, rng)) < 0.3)


@dataclass(frozen=True)
class Forgetful(Drawing):
    """Copies lose the option."""

    def __reduce__(self) -> Any:
        return Drawing, ()


@dataclass(frozen=True)
class Scored(Drawing):
    required_annotations = ("score",)


def fresh(tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
    return np.random.default_rng().random(len(candidates.starts))


LAST: list[int] = []


def by_last_batch(tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
    before, LAST[:] = len(LAST), [0] * len(tokens)
    return rng.uniform(f"coin {before}", candidates.counts)


def global_draws(tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
    return np.random.random(len(candidates.starts))  # noqa: NPY002


def global_state(tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
    state: Any = np.random.get_state()[1]  # noqa: NPY002
    return np.resize(state % 1_000, len(candidates.starts)) / 1_000


def stream_of_first(tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
    counts = [len(candidates.starts)] + [0] * (len(tokens) - 1)
    return rng.uniform("coin", counts) if len(tokens) else []


def by_batch_size(tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
    return rng.uniform(f"coin {len(tokens)}", candidates.counts)


def by_being_alone(tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
    return rng.uniform("alone" if len(tokens) == 1 else "coin", candidates.counts)


def time_of_first(tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
    return Rng.at(rng.seed, rng.t[:1].sum(), rng.keys).uniform("coin", candidates.counts)


def by_position(tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
    return rng.uniform("coin", tokens.lengths)[candidates.starts]


def unsigned(tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
    low = (tokens.annotations["score"] - 2 < 0)[candidates.starts]
    return coin(tokens, candidates, rng) + low


def by_process(tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
    parent = multiprocessing.parent_process() is None
    return rng.uniform("home" if parent else "away", candidates.counts)


def without_seed(tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
    return Rng.at(0, rng.t, rng.keys).uniform("coin", candidates.counts)


def without_time(tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
    return rng.at_time_zero.uniform("coin", candidates.counts)


def needs_rows(tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
    assert tokens.lengths.max() >= 0
    return coin(tokens, candidates, rng)


def truncated_keys(divisor: int = 1, modulus: int = 0) -> Drawing:
    """Draw by a divided key, or by its remainder."""

    def draw(tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
        keys = rng.keys // np.uint64(divisor)
        keys = keys % np.uint64(modulus) if modulus else keys
        return Rng.at(rng.seed, rng.t, keys).uniform("coin", candidates.counts)

    return Drawing(draw)


@dataclass(frozen=True)
class Selecting(Selector):
    """Choose what a function returns."""

    by: Callable[[TokenBatch, Vocabulary, Rng], Selection]

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        return self.by(tokens, vocab, rng)


def special_tokens(tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
    vocab.maskable(tokens)
    return Selection.from_mask(rng.uniform("coin", tokens.lengths) < 0.5, tokens)


def protected_tokens(tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
    chosen = special_tokens(tokens, vocab, rng).mask
    return Selection.from_mask(chosen & ~vocab.special[tokens.ids], tokens)


def nth_of_each(n: int) -> Selecting:
    """Choose the n-th candidate of every row, though a row may have fewer."""

    def by(tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        candidates = units(tokens, vocab)
        starts = candidates.starts[candidates.offsets[:-1] + n]
        return Selection(starts, np.ones(len(starts)), np.arange(len(tokens) + 1), len(tokens.ids))

    return Selecting(by)


def rounded_down(tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
    """Choose 15 % of the tokens, always rounded down."""
    candidates = units(tokens, vocab)
    first = np.repeat(rng.integers("first", [1] * len(tokens), 7), candidates.counts)
    counts = np.repeat(candidates.counts, candidates.counts)
    return candidates.take((candidates.numbers + first) % counts < (0.15 * counts).astype(int))


def clipped_ids(tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
    free = ~vocab.special[np.clip(tokens.ids, 0, vocab.size - 1)]
    return Selection.from_mask(free & (rng.uniform("coin", tokens.lengths) < 0.3), tokens)


@dataclass(frozen=True)
class TickingStatic(Clock):
    """Claims to be static, but ticks."""

    is_static = True

    def __call__(self, epoch: IntArray, step: IntArray) -> IntArray:
        return epoch


@dataclass(frozen=True, repr=False)
class Overlapping(Composed):
    """Return spans of two tokens that may overlap."""

    def mask(self, tokens: TokenBatch, vocab: Vocabulary, context: MaskingContext) -> Masked:
        masked = super().mask(tokens, vocab, context)
        spans = masked.selection
        longer = np.minimum(2, np.repeat(tokens.offsets[1:], spans.counts) - spans.starts)
        return replace(masked, selection=replace(spans, lengths=longer))


@dataclass(frozen=True, repr=False)
class Addressed(Composed):
    """Has Python's default ``repr``, with an address."""

    __repr__ = object.__repr__


@dataclass(frozen=True)
class Replacing(Replacement):
    """Write what a function returns."""

    by: Callable[[TokenBatch, Selection, Vocabulary, Rng], Ragged]

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        return self.by(tokens, selection, vocab, rng)


def written(tokens: TokenBatch, where: Any, ids: Any) -> Ragged:
    out = tokens.ids.copy()
    out[where] = ids
    return Ragged(out, tokens.offsets)


def overwriting(restores: bool) -> Replacing:
    """Write to the caller's array, and restore it afterwards or not."""

    def by(tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng) -> Ragged:
        ids, before = tokens.ids, tokens.ids.copy()
        ids.flags.writeable = True
        ids[selection.mask] = vocab.require_mask("the test")
        inputs = Ragged(ids.copy(), tokens.offsets)
        if restores:
            ids[:] = before
        return inputs

    return Replacing(by)


def without_sources(
    tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
) -> Ragged:
    shorter = Delete().replace(tokens, selection, vocab, rng)
    return Ragged(shorter.values, shorter.offsets)


def random_ids(beyond: int) -> Replacing:
    """Write random ids, special ones and ``beyond`` ids outside the vocabulary included."""

    def by(tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng) -> Ragged:
        ids = rng.integers("id", selection.counts, vocab.size + beyond)
        return written(tokens, selection.mask, ids)

    return Replacing(by)


def masking_next(tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng) -> Ragged:
    """Mask the token after each chosen one as well."""
    after = np.concatenate(([False], selection.mask[:-1])) & ~vocab.special[tokens.ids]
    return written(tokens, selection.mask | after, vocab.require_mask("the test"))


@dataclass(frozen=True)
class Growing(Insert):
    """Insert tokens, but predict that no row gets longer."""

    def bound(self, lengths, most):  # type: ignore[no-untyped-def]
        return lengths


def dropping(tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng) -> Ragged:
    """Delete the first token of each row, whatever is chosen."""
    first = np.zeros(len(tokens.ids), np.bool_)
    first[tokens.offsets[:-1][tokens.lengths > 0]] = True
    return Delete().replace(tokens, Selection.from_mask(first, tokens), vocab, rng)


def rising_sentinels(
    tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
) -> Ragged:
    order = np.sort(vocab.sentinel_ids)
    return rewritten(tokens, selection, one_each(selection, order[selection.numbers]))


def mask_or_zero(tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng) -> Ragged:
    return written(tokens, selection.mask, vocab.mask_id or 0)


@dataclass(frozen=True)
class Building(Target):
    """Return what a function builds."""

    by: Callable[[TokenBatch, Selection, Ragged, Vocabulary, Rng], Masked]

    def build(self, tokens: TokenBatch, masked: Masked, vocab: Vocabulary, rng: Rng) -> Masked:
        selection, inputs = masked.selection, masked.inputs
        return self.by(tokens, selection, inputs, vocab, rng)


def labeled(ids: Callable[[TokenBatch, Selection, Ragged, Vocabulary], Any]) -> Building:
    """Return labels computed by a function."""
    return Building(
        lambda tokens, selection, inputs, vocab, rng: Masked(
            inputs, selection, Ragged(ids(tokens, selection, inputs, vocab), tokens.offsets)
        )
    )


FROM_INPUTS = labeled(lambda t, s, inputs, vocab: np.where(s.mask, inputs.values, IGNORE))
EVERYWHERE = labeled(lambda t, s, inputs, vocab: t.ids)
BY_MASK_TOKENS = labeled(
    lambda t, s, inputs, vocab: np.where(inputs.values == vocab.mask_id, t.ids, IGNORE)
)
NO_OBJECTIVE = Building(lambda tokens, selection, inputs, vocab, rng: Masked(inputs, selection))


def nan_annotation(
    tokens: TokenBatch, selection: Selection, inputs: Ragged, vocab: Vocabulary, rng: Rng
) -> Masked:
    labels = Labels().build(tokens, Masked(inputs, selection), vocab, rng).labels
    annotations = {"x": np.full(len(tokens.ids), np.nan)}
    return Masked(inputs, selection, labels, annotations=annotations)


def weighted(change: Callable[[Any], Any]) -> Building:
    """Change the weights of a sound target."""

    def by(
        tokens: TokenBatch, selection: Selection, inputs: Ragged, vocab: Vocabulary, rng: Rng
    ) -> Masked:
        masked = Weighted().build(tokens, Masked(inputs, selection), vocab, rng)
        return Masked(inputs, selection, masked.labels, weights=change(masked.weights))

    return Building(by)


@dataclass(frozen=True)
class Backwards(BehindSentinels):
    """Write the last span after the first sentinel."""

    def build(self, tokens: TokenBatch, masked: Masked, vocab: Vocabulary, rng: Rng) -> Masked:
        selection, inputs = masked.selection, masked.inputs
        last = np.repeat(selection.counts, selection.counts) - 1
        heads = vocab.sentinel_ids[last - selection.numbers]
        return Masked(inputs, selection, targets=gathered(tokens, selection, heads, vocab.eos_id))


@dataclass(frozen=True)
class Shortened(BehindSentinels):
    """Omit the last token of every span."""

    def build(self, tokens: TokenBatch, masked: Masked, vocab: Vocabulary, rng: Rng) -> Masked:
        selection, inputs = masked.selection, masked.inputs
        shorter = replace(selection, lengths=selection.lengths - 1)
        targets = super().build(tokens, Masked(inputs, shorter), vocab, rng).targets
        return Masked(inputs, selection, targets=targets)
