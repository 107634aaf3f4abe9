"""Replace each span with a sentinel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.errors import VocabularyError
from maskplug.parts import Replacement
from maskplug.ragged import Ragged
from maskplug.replacements.rewritten import one_each, rewritten
from maskplug.rng import Rng
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import IntArray, lengths_of, readonly
from maskplug.units import merge_adjacent
from maskplug.vocabulary import Vocabulary


def sentinels_of(tokens: TokenBatch, offsets: IntArray, vocab: Vocabulary) -> IntArray:
    """Return the sentinels of all samples: the vocabulary's first ones for each sample, in order.

    ``offsets`` are the row offsets of the spans.

    Raises:
        VocabularyError: if it has none, or fewer than a sample needs.
    """
    from maskplug.kernels.rewrite import numbered

    available = len(vocab.sentinel_ids)
    if not available:
        raise VocabularyError(
            "the replacement 'sentinels' writes sentinel tokens, and this vocabulary has none. Add "
            'some (tokenizer.add_special_tokens({"additional_special_tokens": ["<extra_id_0>", '
            '"<extra_id_1>", …]}), then model.resize_token_embeddings(len(tokenizer))), name '
            "existing ids with sentinel_ids=, or choose a strategy that writes none (maskplug list)"
        )
    counts = lengths_of(offsets)
    if counts.max(initial=0) > available:
        row = int(np.argmax(counts))
        raise VocabularyError(
            f"sample {row} of the batch (key {tokens.keys[row]}) needs {counts[row]} sentinels, "
            f"and this vocabulary has {available}: add more, choose a lower rate or a greater mean "
            "length, or cut samples to shorter ones"
        )
    ids: IntArray = numbered(vocab.sentinel_ids, readonly(offsets, np.int64))
    return ids


@dataclass(frozen=True)
class Sentinels(Replacement):
    """Replace each span with one sentinel: the vocabulary's first, second, … from left to right.

    Adjacent spans share one sentinel. The target of the same name generates the spans.

    Raises:
        VocabularyError: if the vocabulary has no sentinels, or fewer than a sample has spans.

    Source: Raffel et al., "T5", 2020, section 3.1.4. The order is that of ``sentinel_ids``; ids are
    not computed from the vocabulary size.
    """

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        spans = merge_adjacent(selection)
        return rewritten(tokens, spans, one_each(spans, sentinels_of(tokens, spans.offsets, vocab)))
