"""Parts with one defect each, of the kinds that real plugins have."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from synthetic import BehindSentinels, Insert, Weighted, ordinals

from maskplug import Masked, Ragged, Selection, TokenBatch, Vocabulary, units
from maskplug.arrays import frozen
from maskplug.composed import Composed
from maskplug.parts import Replacement, Selector, Target
from maskplug.replacements import Delete
from maskplug.replacements.rewritten import one_each, rewritten
from maskplug.rng import Rng
from maskplug.targets import IGNORE, Labels
from maskplug.when import When


class Drawing(Selector):
    """Chooses each token with a probability of 0.3, by the draws of ``drawn``."""

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        candidates = units(tokens, vocab)
        return candidates.take(np.asarray(self.drawn(tokens, candidates, rng)) < 0.3)

    def drawn(self, tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
        return rng.uniform("coin", candidates.counts)


# --- a value, its text, its copies ------------------------------------------------------------


@dataclass(frozen=True)
class Forgetful(Drawing):
    """Its copies are made without their option."""

    purpose: str = "coin"

    def __reduce__(self) -> Any:
        return Forgetful, ()

    def drawn(self, tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
        return rng.uniform(self.purpose, candidates.counts)


@dataclass(frozen=True)
class ByFunction(Drawing):
    """Holds a function, which may be one that no other process can find."""

    of: Callable[[Any], Any]

    def drawn(self, tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
        return self.of(super().drawn(tokens, candidates, rng))


# --- purity -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fresh(Drawing):
    """A generator of its own, seeded by the operating system."""

    def drawn(self, tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
        return np.random.default_rng().random(len(candidates.starts))


LAST: list[int] = []


@dataclass(frozen=True)
class Remembering(Drawing):
    """Draws by the size of the batch that came before."""

    def drawn(self, tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
        before, LAST[:] = len(LAST), [0] * len(tokens)
        return rng.uniform(f"coin {before}", candidates.counts)


@dataclass(frozen=True)
class GlobalDraws(Drawing):
    """Advances numpy's generator."""

    def drawn(self, tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
        return np.random.random(len(candidates.starts))  # noqa: NPY002


@dataclass(frozen=True)
class GlobalState(Drawing):
    """Reads numpy's generator without advancing it."""

    def drawn(self, tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
        state: Any = np.random.get_state()[1]  # noqa: NPY002
        return np.resize(state % 1_000, len(candidates.starts)) / 1_000


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


# --- invariance -------------------------------------------------------------------------------


@dataclass(frozen=True)
class OneStream(Drawing):
    """All samples draw from the stream of the first."""

    def drawn(self, tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
        return rng.row(0).uniform("coin", [len(candidates.starts)]) if len(tokens) else []


@dataclass(frozen=True)
class ByCompany(Drawing):
    """Draws otherwise in batches of other sizes."""

    def drawn(self, tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
        return rng.uniform(f"coin {len(tokens)}", candidates.counts)


@dataclass(frozen=True)
class Lonely(Drawing):
    """Draws otherwise for a sample without company."""

    def drawn(self, tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
        return rng.uniform("alone" if len(tokens) == 1 else "coin", candidates.counts)


@dataclass(frozen=True)
class FirstTime(Drawing):
    """Takes the time of the first sample for that of all."""

    def drawn(self, tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
        t = rng.t[:1].sum()
        return Rng.at(rng.seed, t, rng.keys).uniform("coin", candidates.counts)


@dataclass(frozen=True)
class ByPosition(Drawing):
    """Numbers draws by the position in the row, padding included."""

    def drawn(self, tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
        return rng.uniform("coin", tokens.lengths)[candidates.starts]


@dataclass(frozen=True)
class Unsigned(Drawing):
    """Calculates with a layer in the type in which it comes."""

    reads = ("score",)

    def drawn(self, tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
        low = (tokens.layers["score"] - 2 < 0)[candidates.starts]
        return super().drawn(tokens, candidates, rng) + low


@dataclass(frozen=True)
class AtHome(Drawing):
    """Draws otherwise in a worker."""

    def drawn(self, tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
        home = multiprocessing.parent_process() is None
        return rng.uniform("home" if home else "away", candidates.counts)


# --- keys -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seedless(Drawing):
    """Ignores the seed."""

    def drawn(self, tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
        return Rng.at(0, rng.t, rng.keys).uniform("coin", candidates.counts)


@dataclass(frozen=True)
class Timeless(Drawing):
    """Ignores the time."""

    def drawn(self, tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
        return rng.timeless.uniform("coin", candidates.counts)


@dataclass(frozen=True)
class CutKeys(Drawing):
    """Draws by what is left of the key: divided, then by a modulus (0: all of it)."""

    divisor: int
    modulus: int = 0

    def drawn(self, tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
        keys = rng.keys // np.uint64(self.divisor)
        keys = keys % np.uint64(self.modulus) if self.modulus else keys
        return Rng.at(rng.seed, rng.t, keys).uniform("coin", candidates.counts)


# --- validity ---------------------------------------------------------------------------------


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

    def build(
        self, tokens: TokenBatch, selection: Selection, inputs: Ragged, vocab: Vocabulary, rng: Rng
    ) -> Masked:
        made = Labels().build(tokens, selection, inputs, vocab, rng)
        return Masked(
            inputs, selection, made.labels, layers={"x": np.full(len(tokens.ids), np.nan)}
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

    def mask(self, tokens: TokenBatch, vocab: Vocabulary, when: When) -> Masked:
        made = super().mask(tokens, vocab, when)
        spans = made.selection
        ends = np.repeat(tokens.offsets[1:], spans.counts)
        longer = np.minimum(2, ends - spans.starts)
        return replace(made, selection=replace(spans, lengths=longer))


@dataclass(frozen=True)
class Anything(Selector):
    """Chooses among all tokens, special ones included, or all but special ids."""

    specials: bool

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        vocab.maskable(tokens)
        drawn = rng.uniform("coin", tokens.lengths) < 0.5
        return Selection.from_mask(drawn & (self.specials | ~vocab.special[tokens.ids]), tokens)


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

    def bound(self, lengths, chosen, spans):  # type: ignore[no-untyped-def]
        return lengths


@dataclass(frozen=True)
class FromInputs(Target):
    """Takes the labels from the inputs."""

    def build(
        self, tokens: TokenBatch, selection: Selection, inputs: Ragged, vocab: Vocabulary, rng: Rng
    ) -> Masked:
        labels = np.where(selection.mask, inputs.values, IGNORE)
        return Masked(inputs, selection, Ragged(labels, tokens.offsets))


@dataclass(frozen=True)
class Everywhere(Target):
    """Predicts every token, chosen or not."""

    def build(
        self, tokens: TokenBatch, selection: Selection, inputs: Ragged, vocab: Vocabulary, rng: Rng
    ) -> Masked:
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
            np.ones(counts.sum()),
            np.concatenate(([0], np.cumsum(counts))),
            len(tokens.ids),
        )
        return Delete().replace(tokens, first, vocab, rng)


# --- objectives -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Heavy(Target):
    """Weights for tokens that are not predicted, or infinite ones."""

    infinite: bool

    def build(
        self, tokens: TokenBatch, selection: Selection, inputs: Ragged, vocab: Vocabulary, rng: Rng
    ) -> Masked:
        made = Weighted().build(tokens, selection, inputs, vocab, rng)
        assert made.weights is not None
        weights = np.where(made.weights > 0, np.inf, 0) if self.infinite else 1 + made.weights
        return Masked(inputs, selection, made.labels, weights=weights)


@dataclass(frozen=True)
class Backwards(BehindSentinels):
    """The last span stands behind the first sentinel."""

    def build(
        self, tokens: TokenBatch, selection: Selection, inputs: Ragged, vocab: Vocabulary, rng: Rng
    ) -> Masked:
        from maskplug.kernels.rewrite import gather_spans

        last = np.repeat(selection.counts, selection.counts) - 1
        heads = frozen(vocab.sentinel_ids[last - ordinals(selection)], np.int64)
        spans = (selection.starts, selection.lengths, selection.offsets)
        made = gather_spans(tokens.ids, *spans, heads, vocab.eos_id)
        return Masked(inputs, selection, targets=Ragged(*made))


@dataclass(frozen=True)
class Shortened(BehindSentinels):
    """The last token of every span is never asked for."""

    def build(
        self, tokens: TokenBatch, selection: Selection, inputs: Ragged, vocab: Vocabulary, rng: Rng
    ) -> Masked:
        less = (selection.starts, selection.lengths - 1, selection.offsets)
        made = super().build(tokens, Selection(*less, selection.size), inputs, vocab, rng)
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

    def build(
        self, tokens: TokenBatch, selection: Selection, inputs: Ragged, vocab: Vocabulary, rng: Rng
    ) -> Masked:
        return Masked(inputs, selection)


# --- edges ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Longest(Drawing):
    """Asks for the longest row, which a batch without rows does not have."""

    def drawn(self, tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
        assert tokens.lengths.max() >= 0
        return super().drawn(tokens, candidates, rng)


@dataclass(frozen=True)
class OneOfEach(Selector):
    """The n-th token of every row, as if each had one that may be masked."""

    n: int

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        candidates = units(tokens, vocab)
        starts = candidates.starts[candidates.offsets[:-1] + self.n]
        each = np.arange(len(tokens) + 1)
        return Selection(starts, np.ones(len(starts)), each, len(tokens.ids))


@dataclass(frozen=True)
class LooksMasked(Target):
    """Predicts wherever the inputs look masked."""

    def build(
        self, tokens: TokenBatch, selection: Selection, inputs: Ragged, vocab: Vocabulary, rng: Rng
    ) -> Masked:
        labels = np.where(inputs.values == vocab.mask_id, tokens.ids, IGNORE)
        return Masked(inputs, selection, Ragged(labels, tokens.offsets))


# --- statistics and messages ------------------------------------------------------------------


@dataclass(frozen=True)
class Floor(Selector):
    """As many tokens as the rate gives, always rounded down."""

    rate: float

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        candidates = units(tokens, vocab)
        place = np.arange(len(candidates.starts)) - np.repeat(
            candidates.offsets[:-1], candidates.counts
        )
        first = rng.integers("first", [1] * len(tokens), 7)
        turned = place + np.repeat(first, candidates.counts)
        counts = np.repeat(candidates.counts, candidates.counts)
        return candidates.take(turned % counts < (self.rate * counts).astype(int))


@dataclass(frozen=True)
class Clipped(Selector):
    """Looks ids up that do not exist, and finds something."""

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        free = ~vocab.special[np.clip(tokens.ids, 0, vocab.size - 1)]
        return Selection.from_mask(free & (rng.uniform("coin", tokens.lengths) < 0.3), tokens)


@dataclass(frozen=True)
class AnyMask(Replacement):
    """Writes the mask, or id 0 where there is none."""

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        out = tokens.ids.copy()
        out[selection.mask] = vocab.mask_id or 0
        return Ragged(out, tokens.offsets)
