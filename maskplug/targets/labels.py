"""Labels in place: predict the original token at each selected position."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.errors import OptionError
from maskplug.parts import Target
from maskplug.ragged import Ragged
from maskplug.rng import Rng
from maskplug.tokens import Masked, TokenBatch
from maskplug.vocabulary import Vocabulary

#: The label of tokens that are not predicted; PyTorch's cross entropy ignores it by default.
IGNORE = -100


def in_place(inputs: Ragged, tokens: TokenBatch) -> bool:
    """Return whether every input is at the position of its source token."""
    same = inputs.offsets is tokens.offsets or np.array_equal(inputs.offsets, tokens.offsets)
    if not same:
        return False
    sources = inputs.sources
    return sources is None or bool((sources == np.arange(len(sources))).all())


@dataclass(frozen=True)
class Labels(Target):
    """Predict the original token at each selected position; all other labels are -100.

    Requires a replacement that keeps the length and the order of the tokens.

    Source: Devlin et al., "BERT", 2019.
    """

    predicts = "labels"

    def build(self, tokens: TokenBatch, masked: Masked, vocab: Vocabulary, rng: Rng) -> Masked:
        from maskplug.kernels.rewrite import copy_spans

        if not in_place(masked.inputs, tokens):
            raise OptionError(
                "the target 'labels' needs inputs as long as the original and in its order, and "
                "the replacement changed that; choose another target (maskplug list target), or a "
                "replacement in place"
            )
        labels = np.full(len(tokens.ids), IGNORE, np.int64)
        copy_spans(labels, tokens.ids, masked.selection.starts, masked.selection.lengths)
        return Masked(masked.inputs, masked.selection, labels=Ragged(labels, tokens.offsets))
