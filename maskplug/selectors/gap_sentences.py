"""The sentences that a summary might be made of: first ones, random ones, principal ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from maskplug.errors import OptionError, shortened
from maskplug.parts import Schedule, Selector
from maskplug.rng import Rng
from maskplug.schedule import check_rate, highest
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import BoolArray, FloatArray, IntArray, readonly
from maskplug.units import Unit, units
from maskplug.vocabulary import Vocabulary

Choice = Literal["principal", "random", "lead"]


def highest_scores(scores: FloatArray, units: Selection, wanted: IntArray) -> BoolArray:
    """One bool a unit: the ``wanted[row]`` of each row that score highest; of equal ones the later.

    Example:
        >>> units = Selection(np.arange(5), np.ones(5, int), np.array([0, 3, 5]), 5)
        >>> highest_scores(np.array([0.5, 0.1, 0.5, 0.3, 0.2]), units, np.array([1, 1])).tolist()
        [False, False, True, True, False]
    """
    order = np.lexsort((scores, units.rows))  # stable; rows stay together
    chosen = np.empty(len(scores), np.bool_)
    chosen[order] = units.numbers >= (units.counts - wanted)[units.rows]
    return chosen


@dataclass(frozen=True)
class GapSentences(Selector):
    """Chooses whole sentences: ``rate`` times their number, rounded down, and at least one.

    Of two sentences or more at least one stays. Without ``choose="random"`` nothing is drawn: a
    text always loses the same sentences.

    Args:
        rate: share of the sentences, from 0 to below 1, or a schedule.
        choose: "principal" takes the sentences that share most with the rest of the text, by the F
            measure of ROUGE-1 over token ids (those that end sentences do not count); of equal
            ones the later. "random" takes any, all sets equally likely; "lead" the first.
        sequential: for "principal", take one sentence after the other, each so that all taken
            together share most with the rest; otherwise each is scored by itself.
        unique: for "principal", count every id once on either side.

    Source: Zhang et al., "PEGASUS", 2020, section 3.1: Lead, Random, and Principal in its forms
    Ind/Seq (``sequential``) and Orig/Uniq (``unique``).
    """

    rate: Schedule | float = 0.3
    choose: Choice = "principal"
    sequential: bool = False
    unique: bool = False

    unit: ClassVar[Unit] = "sentence"

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)
        if highest(self.rate) >= 1.0:
            raise OptionError(
                f"option 'rate' is {shortened(self.rate)}; a rate of 1 leaves no sentence to be "
                "read, so that it must stay below"
            )
        if self.choose != "principal" and (self.sequential or self.unique):
            raise OptionError(
                f"options 'sequential' and 'unique' are {self.sequential} and {self.unique}; they "
                f"score principal sentences, and option 'choose' is {shortened(self.choose)}"
            )

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        sentences = units(tokens, vocab, "sentence")
        rates = rng.value(self.rate)
        wanted = np.floor(rates * sentences.counts).astype(np.int64)
        wanted = np.where(rates > 0.0, np.minimum(np.maximum(wanted, 1), sentences.counts), 0)
        return sentences.take(self._chosen(tokens, vocab, rng, sentences, wanted))

    def _chosen(
        self,
        tokens: TokenBatch,
        vocab: Vocabulary,
        rng: Rng,
        sentences: Selection,
        wanted: IntArray,
    ) -> BoolArray:
        from maskplug.kernels.select import exact

        if self.choose == "lead":
            return np.asarray(sentences.numbers < wanted[sentences.rows])
        if self.choose == "random":
            drawn: BoolArray = exact(rng.stream_keys("gap sentences"), sentences.offsets, wanted)
            return drawn
        return self._principal(tokens, vocab, sentences, wanted)

    def _principal(
        self, tokens: TokenBatch, vocab: Vocabulary, sentences: Selection, wanted: IntArray
    ) -> BoolArray:
        from maskplug.kernels.rouge import each_alone, one_by_one

        silent = np.zeros(vocab.size) if vocab.sentence_end is None else vocab.sentence_end
        ignored = readonly(silent, np.bool_)
        spans = (sentences.starts, sentences.lengths, sentences.offsets)
        if self.sequential:
            taken: BoolArray = one_by_one(
                tokens.ids, tokens.offsets, *spans, wanted, ignored, self.unique
            )
            return taken
        scores = each_alone(tokens.ids, tokens.offsets, *spans, ignored, self.unique)
        return highest_scores(scores, sentences, wanted)
