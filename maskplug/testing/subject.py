"""The subject of the checks of strategies: a strategy, a vocabulary, and batches to mask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar
from unittest import SkipTest

import numpy as np

from maskplug.errors import OptionError, UnknownNameError
from maskplug.parts import parts_in
from maskplug.plugins import registry
from maskplug.registry import Entry
from maskplug.strategy import Strategy, strategy
from maskplug.testing.outcome import Row, assert_same_rows, by_row
from maskplug.testing.vocabulary import rich_vocabulary
from maskplug.tokens import Masked, TokenBatch
from maskplug.types import BoolArray, IntArray, UintArray
from maskplug.vocabulary import Vocabulary

#: Returns the annotations of a batch, by name.
MakeAnnotations = Callable[[TokenBatch], Mapping[str, Any]]
#: Row lengths of the standard batch, special tokens not counted.
LENGTHS = (33, 1, 12, 64, 2, 20, 3, 41, 8, 5, 27, 17)
#: Length of the equal rows that statistics are computed on; a sentence has four tokens.
EQUAL_LENGTH = 64
#: Word lengths to try in equal rows; the first of which the strategy chooses any word is used.
WORD_LENGTHS = (1, 2, 4)
#: The times at which the standard batch is masked: (epoch, step, progress).
MOMENTS = ((0, 0, 0.0), (1, 40, 0.5), (5, 1_000, 1.0))


class NotApplicable(SkipTest):
    """Raised by a check that does not apply, with the reason; pytest skips the test."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A strategy under test; create one with :meth:`of`.

    Attributes:
        strategy: the strategy to check.
        vocab: the vocabulary of its batches.
        annotations: returns the annotations of a batch, by name. Annotations that the strategy
            requires and this function does not return are small integers, 0 at special tokens.
        seed: determines the rows of the batches and the seeds of the masks.

    Raises:
        OptionError: when the seed is not from 0 to 2**63 - 1.
    """

    kind: ClassVar[str] = "strategy"
    how_to_draw: ClassVar[str] = (
        "Use only the Rng that the part receives (rng.integers, rng.uniform, budget)."
    )

    strategy: Strategy
    vocab: Vocabulary = field(default_factory=rich_vocabulary)
    annotations: MakeAnnotations = lambda tokens: {}
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 1 << 63:
            raise OptionError(f"seed is {self.seed}; it must be from 0 to 2**63 - 1")

    @classmethod
    def of(
        cls,
        name: str | Mapping[str, Any] | Strategy,
        vocab: Vocabulary | None = None,
        annotations: MakeAnnotations | None = None,
        seed: int = 0,
        options: Mapping[str, Any] | None = None,
    ) -> Subject:
        """Return the subject for a strategy (a name, a spec or a Strategy), with defaults.

        Example:
            >>> Subject.of("dynamic", options={"rate": 0.3}).strategy.label
            'dynamic@1'
        """
        return cls(
            strategy(name, **(options or {})),
            rich_vocabulary() if vocab is None else vocab,
            (lambda tokens: {}) if annotations is None else annotations,
            seed,
        )

    @property
    def part(self) -> Strategy:
        """The strategy."""
        return self.strategy

    @property
    def name(self) -> str:
        """The strategy's label; empty if it has none."""
        return self.strategy.label

    @property
    def label(self) -> str:
        """The strategy's label, or its ``repr`` if it has none."""
        return self.name or repr(self.strategy)

    @cached_property
    def entry(self) -> Entry | None:
        """The registry entry of the strategy's label, or None."""
        try:
            return registry().find("strategy", self.name)
        except UnknownNameError:
            return None

    def replaced(self, spec_or_part: Any) -> Subject:
        """Return a subject with another strategy and the same batches."""
        return replace(self, strategy=strategy(spec_or_part))

    def build(self, **changed: Any) -> Strategy:
        """Build the strategy by name with some options changed or added."""
        assert self.entry is not None
        return strategy(self.entry.pinned, **{**self.strategy.spec["options"], **changed})

    def mask(self, tokens: TokenBatch, **context: Any) -> Masked:
        """Mask a batch; the subject's seed is added to ``seed``."""
        context["seed"] = self.seed + context.get("seed", 0)
        return self.strategy(tokens, self.vocab, **context)

    def outcomes(self, tokens: TokenBatch | None = None, **context: Any) -> list[Row]:
        """Mask a batch (by default the standard one) and return the result of each sample."""
        tokens = self.batch if tokens is None else tokens
        return by_row(tokens, self.mask(tokens, **context))

    assert_same = staticmethod(assert_same_rows)

    def may_be_chosen(self, tokens: TokenBatch) -> BoolArray:
        """Return one bool per token: False for protected and special tokens.

        Special tokens other than masks may be chosen if a part has ``mask_special=True``.
        """
        if not any(getattr(part, "mask_special", False) for part in parts_in(self.strategy)):
            return self.vocab.maskable(tokens)
        protected = tokens.annotations.get("protected", np.zeros(len(tokens.ids)))
        return np.asarray((protected == 0) & (tokens.ids != self.vocab.mask_id))

    def rows(self) -> list[list[int]]:
        """Return rows that suit any strategy: many lengths, with and without special tokens."""
        rng = np.random.default_rng(self.seed)
        inner_special = [int(i) for i in self.vocab.special_ids[-1:]]
        rows = []
        for number, length in enumerate(LENGTHS):
            row = rng.choice(self.vocab.ordinary, length).tolist()
            for position in range(5, length, 6):
                row[position] = self._sentence_end(number, row[position])
            if number % 4 == 3:
                row[length // 2 : length // 2] = inner_special
            rows.append(row if number % 3 == 2 else self.enclosed(row))
        return rows

    def enclosed(self, row: list[int]) -> list[int]:
        """Return the row between the vocabulary's bos and eos, if it has them."""
        bos, eos = self.vocab.bos_id, self.vocab.eos_id
        return [*([] if bos is None else [bos]), *row, *([] if eos is None else [eos])]

    def _sentence_end(self, number: int, default: int) -> int:
        table = self.vocab.sentence_end
        ends = [] if table is None else np.flatnonzero(table & ~self.vocab.special).tolist()
        return int(ends[number % len(ends)]) if ends else default

    @cached_property
    def batch(self) -> TokenBatch:
        """The standard batch, with annotations."""
        return self.batch_of(self.rows())

    def batch_of(self, rows: Sequence[Sequence[int]]) -> TokenBatch:
        """Return these rows with the keys "sample 0", "sample 1", …, and annotations."""
        keys = [f"sample {i}" for i in range(len(rows))]
        return self._annotated(TokenBatch.from_lists(rows, keys=keys))

    def equal_rows(self, keys: UintArray) -> TokenBatch:
        """Return the same row of 64 tokens for each key.

        Each word has one token, or two or four if the strategy chooses none of one token.
        """
        return self._equal_rows(keys, self._word_length)

    def _equal_rows(self, keys: UintArray, word_length: int) -> TokenBatch:
        row = np.resize(self.vocab.ordinary, EQUAL_LENGTH)
        row[3::4] = self._sentence_end(0, int(row[3]))
        starts = np.arange(EQUAL_LENGTH * len(keys)) % word_length == 0
        ids, offsets = np.tile(row, len(keys)), np.arange(len(keys) + 1) * EQUAL_LENGTH
        return self._annotated(TokenBatch(ids, offsets, keys, {"word_starts": starts}))

    @cached_property
    def _word_length(self) -> int:
        keys = np.arange(64, dtype=np.uint64)
        for length in WORD_LENGTHS:
            if self.mask(self._equal_rows(keys, length)).selection.mask.any():
                return length
        return 1

    def _annotated(self, tokens: TokenBatch) -> TokenBatch:
        annotations = {**tokens.annotations, **self.annotations(tokens)}
        small: IntArray = np.where(self.vocab.special[tokens.ids], 0, tokens.ids % 4)
        for name in self.strategy.required_annotations:
            annotations.setdefault(name, small)
        return TokenBatch(tokens.ids, tokens.offsets, tokens.keys, annotations)

    @cached_property
    def samples(self) -> list[Masked]:
        """The standard batch masked at several times."""
        return [
            self.mask(self.batch, epoch=epoch, step=step, progress=progress)
            for epoch, step, progress in MOMENTS
        ]

    @cached_property
    def masked_batches(self) -> list[tuple[TokenBatch, Masked]]:
        """The standard batch masked at several times, and 200 equal rows masked once."""
        equal = self.equal_rows(np.arange(200, dtype=np.uint64))
        return [*((self.batch, masked) for masked in self.samples), (equal, self.mask(equal))]


def with_ids(tokens: TokenBatch, ids: Any) -> TokenBatch:
    """Return the batch with other ids at the same positions."""
    return TokenBatch(ids, tokens.offsets, tokens.keys, tokens.annotations)
