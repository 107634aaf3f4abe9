"""Selectors with one defect each, of the kinds that real plugins have."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from maskplug import Selection, TokenBatch, Vocabulary, units
from maskplug.parts import Selector
from maskplug.rng import Rng


class Drawing(Selector):
    """Chooses each token with a probability of 0.3, by the draws of ``drawn``."""

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        candidates = units(tokens, vocab)
        return candidates.take(np.asarray(self.drawn(tokens, candidates, rng)) < 0.3)

    def drawn(self, tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
        return rng.uniform("coin", candidates.counts)


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

    required_annotations = ("score",)

    def drawn(self, tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
        low = (tokens.annotations["score"] - 2 < 0)[candidates.starts]
        return super().drawn(tokens, candidates, rng) + low


@dataclass(frozen=True)
class AtHome(Drawing):
    """Draws otherwise in a worker."""

    def drawn(self, tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
        home = multiprocessing.parent_process() is None
        return rng.uniform("home" if home else "away", candidates.counts)


@dataclass(frozen=True)
class Seedless(Drawing):
    """Ignores the seed."""

    def drawn(self, tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
        return Rng.at(0, rng.t, rng.keys).uniform("coin", candidates.counts)


@dataclass(frozen=True)
class Timeless(Drawing):
    """Ignores the time."""

    def drawn(self, tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
        return rng.at_time_zero.uniform("coin", candidates.counts)


@dataclass(frozen=True)
class CutKeys(Drawing):
    """Draws by what is left of the key: divided, then by a modulus (0: all of it)."""

    divisor: int
    modulus: int = 0

    def drawn(self, tokens: TokenBatch, candidates: Selection, rng: Rng) -> Any:
        keys = rng.keys // np.uint64(self.divisor)
        keys = keys % np.uint64(self.modulus) if self.modulus else keys
        return Rng.at(rng.seed, rng.t, keys).uniform("coin", candidates.counts)


@dataclass(frozen=True)
class Anything(Selector):
    """Chooses among all tokens, special ones included, or all but special ids."""

    specials: bool

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        vocab.maskable(tokens)
        drawn = rng.uniform("coin", tokens.lengths) < 0.5
        return Selection.from_mask(drawn & (self.specials | ~vocab.special[tokens.ids]), tokens)


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
