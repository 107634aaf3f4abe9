"""Labels in place: predict the original token wherever one was chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.errors import OptionError
from maskplug.parts import Target
from maskplug.ragged import Ragged
from maskplug.rng import Rng
from maskplug.tokens import Masked, Selection, TokenBatch
from maskplug.vocabulary import Vocabulary

#: The label of tokens that are not predicted; PyTorch's cross entropy ignores it by default.
IGNORE = -100


def in_place(inputs: Ragged, tokens: TokenBatch) -> bool:
    """Whether every input stands where the token that it was made from stood."""
    same = inputs.offsets is tokens.offsets or np.array_equal(inputs.offsets, tokens.offsets)
    if not same:
        return False
    sources = inputs.sources
    return sources is None or bool((sources == np.arange(len(sources))).all())


@dataclass(frozen=True)
class Labels(Target):
    """One label for each input: the original id where it was chosen, -100 elsewhere.

    Needs inputs of the same length as the original. Source: Devlin et al., "BERT", 2019.
    """

    predicts = "labels"

    def build(
        self,
        tokens: TokenBatch,
        selection: Selection,
        inputs: Ragged,
        vocab: Vocabulary,
        rng: Rng,
    ) -> Masked:
        from maskplug.kernels.replace import copy_spans

        if not in_place(inputs, tokens):
            raise OptionError(
                "the target 'labels' needs inputs as long as the original and in its order, and "
                "the replacement changed that; choose another target (maskplug list target), or a "
                "replacement in place"
            )
        labels = np.full(len(tokens.ids), IGNORE, np.int64)
        copy_spans(labels, tokens.ids, selection.starts, selection.lengths)
        return Masked(inputs, selection, labels=Ragged(labels, tokens.offsets))
