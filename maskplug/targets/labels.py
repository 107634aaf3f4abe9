"""Labels in place: predict the original token wherever one was chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.errors import OptionError
from maskplug.parts import Target
from maskplug.tokens import Masked, Ragged, Selection, TokenBatch
from maskplug.vocabulary import Vocabulary

#: The label of tokens that are not predicted; PyTorch's cross entropy ignores it by default.
IGNORE = -100


@dataclass(frozen=True)
class Labels(Target):
    """One label for each input: the original id where it was chosen, -100 elsewhere.

    Needs inputs of the same length as the original. Source: Devlin et al., "BERT", 2019.
    """

    def build(
        self, tokens: TokenBatch, selection: Selection, inputs: Ragged, vocab: Vocabulary
    ) -> Masked:
        from maskplug.kernels.replace import copy_spans

        if not np.array_equal(inputs.offsets, tokens.offsets):
            raise OptionError(
                "the target 'labels' needs inputs as long as the original, and the replacement "
                "changed their length; choose another target, or a replacement in place"
            )
        labels = np.full(len(tokens.ids), IGNORE, np.int64)
        copy_spans(labels, tokens.ids, selection.starts, selection.lengths)
        return Masked(inputs, selection, labels=Ragged(labels, tokens.offsets))
