"""What the checks are run on: a strategy, a vocabulary, and batches that suit it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from maskplug.errors import OptionError, UnknownNameError
from maskplug.parts import parts_in
from maskplug.plugins import registry
from maskplug.registry import Entry
from maskplug.strategy import Strategy, strategy
from maskplug.testing.vocabulary import rich_vocabulary
from maskplug.tokens import Masked, TokenBatch
from maskplug.types import BoolArray, IntArray, UintArray
from maskplug.vocabulary import Vocabulary

Layers = Callable[[TokenBatch], Mapping[str, Any]]
#: The lengths of the rows of a usual batch, special tokens not counted.
LENGTHS = (33, 1, 12, 64, 2, 20, 3, 41, 8, 5, 27, 17)
#: The length of the rows that laws are measured on, in sentences of four tokens.
LAW_LENGTH = 64
#: The lengths of words in those rows, of which the first is taken that a strategy chooses from.
WORD_LENGTHS = (1, 2, 4)
#: Where in training the validity of masks is looked at: (epoch, step, progress).
MOMENTS = ((0, 0, 0.0), (1, 40, 0.5), (5, 1_000, 1.0))


class NotApplicable(Exception):
    """Raised by a check that has nothing to say about a subject; the message says why."""


@dataclass(frozen=True)
class Subject:
    """A strategy under test. Make one with :meth:`of`.

    Attributes:
        strategy: what is checked.
        vocab: the vocabulary of its batches.
        layers: makes the layers of a batch, by name, from the batch without them. Layers that the
            strategy reads and that are not made here are small integers, 0 at special tokens.
        seed: decides the rows of the batches, and the seeds that masks are drawn with.

    Raises:
        OptionError: for a negative seed, or one of more than 63 bits.
    """

    strategy: Strategy
    vocab: Vocabulary = field(default_factory=rich_vocabulary)
    annotations: Layers = lambda tokens: {}
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 1 << 63:
            raise OptionError(f"seed is {self.seed}; it goes from 0 to 2**63 - 1")

    @classmethod
    def of(
        cls,
        made: str | Mapping[str, Any] | Strategy,
        vocab: Vocabulary | None = None,
        annotations: Layers | None = None,
        seed: int = 0,
        options: Mapping[str, Any] | None = None,
    ) -> Subject:
        """A strategy, by name, spec or as it is, with everything else filled in.

        Example:
            >>> Subject.of("dynamic", options={"rate": 0.3}).strategy.label
            'dynamic@1'
        """
        return cls(
            strategy(made, **(options or {})),
            rich_vocabulary() if vocab is None else vocab,
            (lambda tokens: {}) if annotations is None else annotations,
            seed,
        )

    @property
    def label(self) -> str:
        """The strategy's label, or what it is made of where it has none."""
        return self.strategy.label or repr(self.strategy)

    @cached_property
    def entry(self) -> Entry | None:
        """What is registered under the strategy's label, or None."""
        try:
            return registry().find("strategy", self.strategy.label)
        except UnknownNameError:
            return None

    def mask(self, tokens: TokenBatch, **context: Any) -> Masked:
        """Mask a batch; ``seed``, ``epoch``, … as for a strategy, the seed counted from ours."""
        return self.strategy(
            tokens, self.vocab, **{**context, "seed": self.seed + context.get("seed", 0)}
        )

    def may_be_chosen(self, tokens: TokenBatch) -> BoolArray:
        """One bool for each token: False for protected and for special ones.

        Where a part has the option ``mask_special``, special tokens other than masks may be chosen.
        """
        if not any(getattr(part, "mask_special", False) for part in parts_in(self.strategy)):
            return self.vocab.maskable(tokens)
        protected = tokens.annotations.get("protected", np.zeros(len(tokens.ids)))
        return np.asarray((protected == 0) & (tokens.ids != self.vocab.mask_id))

    def rows(self) -> list[list[int]]:
        """Rows that every strategy can work with: of many lengths, with and without specials."""
        rng = np.random.default_rng(self.seed)
        odd = [int(i) for i in self.vocab.special_ids[-1:]]
        rows = []
        for number, length in enumerate(LENGTHS):
            row = rng.choice(self.vocab.ordinary, length).tolist()
            for place in range(5, length, 6):
                row[place] = self._end(number, row[place])
            if number % 4 == 3:  # a special token in the middle
                row[length // 2 : length // 2] = odd
            rows.append(row if number % 3 == 2 else self.between(row))
        return rows

    def between(self, row: list[int]) -> list[int]:
        """The row between the vocabulary's beginning and end of a sequence."""
        bos, eos = self.vocab.bos_id, self.vocab.eos_id
        return [*([] if bos is None else [bos]), *row, *([] if eos is None else [eos])]

    def _end(self, number: int, otherwise: int) -> int:
        """An id that ends a sentence, or the other one where the vocabulary has none."""
        table = self.vocab.sentence_end
        ends = [] if table is None else np.flatnonzero(table & ~self.vocab.special).tolist()
        return int(ends[number % len(ends)]) if ends else otherwise

    @cached_property
    def batch(self) -> TokenBatch:
        """A usual batch, with all layers."""
        return self.of_rows(self.rows())

    def of_rows(self, rows: Sequence[Sequence[int]], first_key: int = 0) -> TokenBatch:
        """These rows under the keys "sample 0", "sample 1", …, with all layers."""
        keys = [f"sample {first_key + i}" for i in range(len(rows))]
        return self.dressed(TokenBatch.from_lists(rows, keys=keys))

    def equal_rows(self, keys: UintArray) -> TokenBatch:
        """The same row under each of the keys: 64 tokens, in sentences of four.

        Each token is a word; for a strategy that chooses nothing then, words have two tokens or
        four.
        """
        return self._equal_rows(keys, self._word_length)

    def _equal_rows(self, keys: UintArray, word_length: int) -> TokenBatch:
        row = np.resize(self.vocab.ordinary, LAW_LENGTH)
        row[3::4] = self._end(0, int(row[3]))
        starts = np.arange(LAW_LENGTH * len(keys)) % word_length == 0
        ids, offsets = np.tile(row, len(keys)), np.arange(len(keys) + 1) * LAW_LENGTH
        return self.dressed(TokenBatch(ids, offsets, keys, {"word_starts": starts}))

    @cached_property
    def _word_length(self) -> int:
        """How long words are of which the strategy chooses some; 1 where it never does."""
        keys = np.arange(64, dtype=np.uint64)
        for length in WORD_LENGTHS:
            if self.mask(self._equal_rows(keys, length)).selection.mask.any():
                return length
        return 1

    def dressed(self, tokens: TokenBatch) -> TokenBatch:
        """The batch with the layers that the strategy reads."""
        annotations = {**tokens.annotations, **self.annotations(tokens)}
        small: IntArray = np.where(self.vocab.special[tokens.ids], 0, tokens.ids % 4)
        for name in self.strategy.required_annotations:
            annotations.setdefault(name, small)
        return TokenBatch(tokens.ids, tokens.offsets, tokens.keys, annotations)

    @cached_property
    def samples(self) -> list[Masked]:
        """The usual batch masked at several moments of training."""
        return [
            self.mask(self.batch, epoch=epoch, step=step, progress=progress)
            for epoch, step, progress in MOMENTS
        ]


def with_ids(tokens: TokenBatch, ids: Any) -> TokenBatch:
    """The batch with other ids in the same places."""
    return TokenBatch(ids, tokens.offsets, tokens.keys, tokens.annotations)
