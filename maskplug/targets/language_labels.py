"""Labels in place, with positions that begin anew in every language."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from maskplug.parts import Target
from maskplug.ragged import Ragged
from maskplug.rng import Rng
from maskplug.selectors.by_language import language_starts
from maskplug.targets.labels import Labels
from maskplug.tokens import Masked, Selection, TokenBatch
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class LanguageLabels(Target):
    """``labels``, with the layers ``position_ids`` and ``langs``.

    ``position_ids`` (int64, one for each input) counts from 0 at the beginning of a row, and anew
    wherever the layer ``languages`` of the batch changes; ``langs`` (int64) is that layer.

    Source: translation language modelling of Conneau and Lample, "Cross-lingual language model
    pretraining", 2019, section 3.4.
    """

    predicts = "labels"
    required_annotations = ("languages",)

    def build(
        self,
        tokens: TokenBatch,
        selection: Selection,
        inputs: Ragged,
        vocab: Vocabulary,
        rng: Rng,
    ) -> Masked:
        masked = Labels().build(tokens, selection, inputs, vocab, rng)
        positions = np.arange(len(tokens.ids)) - language_starts(tokens)
        langs = tokens.annotations["languages"].astype(np.int64)
        return replace(masked, annotations={"position_ids": positions, "langs": langs})
