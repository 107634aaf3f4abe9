"""Select sentences that could serve as a summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from maskplug.errors import OptionError, shortened
from maskplug.parts import Schedule, Selector
from maskplug.rng import Rng
from maskplug.schedule import check_rate, highest
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import BoolArray, IntArray, readonly
from maskplug.units import Unit, units
from maskplug.vocabulary import Vocabulary

Choice = Literal["principal", "random", "lead"]


@dataclass(frozen=True)
class GapSentences(Selector):
    """Select whole sentences: ``rate`` times their number, rounded down, and at least one.

    At least one sentence stays visible in a text of two or more. Unless ``choose`` is "random", the
    selection is deterministic: a text always loses the same sentences.

    Args:
        rate: share of the sentences, 0 to below 1, or a schedule.
        choose: "principal" (the sentences with the highest F measure of ROUGE-1 against the rest of
            the text, computed over token ids without sentence-ending tokens; of equal scores the
            later one), "random" (every subset equally likely) or "lead" (the first ones).
        sequential: for "principal", select sentences one by one, each maximizing the score of all
            selected sentences together; if False, each sentence is scored separately.
        unique: for "principal", count every id once per side.

    Source: Zhang et al., "PEGASUS", 2020, section 3.1: Lead, Random, and Principal in its variants
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
                f"option 'rate' is {shortened(self.rate)}; it must be below 1, so that one "
                "sentence stays visible"
            )
        if self.choose != "principal" and (self.sequential or self.unique):
            raise OptionError(
                f"options 'sequential' and 'unique' are {self.sequential} and {self.unique}; they "
                f"apply to choose='principal' only, and 'choose' is {shortened(self.choose)}"
            )

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        sentences = units(tokens, vocab, "sentence")
        rates = rng.value(self.rate)
        counts = np.floor(rates * sentences.counts).astype(np.int64)
        counts = np.where(rates > 0.0, np.minimum(np.maximum(counts, 1), sentences.counts), 0)
        if self.choose == "lead":
            return sentences.take(np.asarray(sentences.numbers < counts[sentences.rows]))
        if self.choose == "random":
            from maskplug.kernels.select import exact

            keys = rng.stream_keys("gap sentences")
            return sentences.take(exact(keys, sentences.offsets, counts))
        return sentences.take(self._principal(tokens, vocab, sentences, counts))

    def _principal(
        self, tokens: TokenBatch, vocab: Vocabulary, sentences: Selection, counts: IntArray
    ) -> BoolArray:
        from maskplug.kernels.rouge import each_alone, one_by_one

        ends = np.zeros(vocab.size) if vocab.sentence_end is None else vocab.sentence_end
        ignored = readonly(ends, np.bool_)
        arguments = (tokens.ids, tokens.offsets, *sentences.spans)
        if self.sequential:
            chosen: BoolArray = one_by_one(*arguments, counts, ignored, self.unique)
            return chosen
        scores = each_alone(*arguments, ignored, self.unique)
        order = np.lexsort((scores, sentences.rows))  # stable: of equal scores, the later is higher
        chosen = np.empty(len(scores), np.bool_)
        chosen[order] = sentences.numbers >= (sentences.counts - counts)[sentences.rows]
        return chosen
