"""Labels in place, with position ids that restart at each language."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from maskplug.parts import Target
from maskplug.rng import Rng
from maskplug.selectors.by_language import language_starts
from maskplug.targets.labels import Labels
from maskplug.tokens import Masked, TokenBatch
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class LanguageLabels(Target):
    """Predict the original tokens in place, and add ``position_ids`` and ``langs``.

    Both annotations are int64, one value for each input. ``position_ids`` counts from 0 and
    restarts wherever the annotation ``languages`` of the batch changes; ``langs`` is a copy of
    ``languages``.

    Source: translation language modelling of Conneau and Lample, "Cross-lingual language model
    pretraining", 2019, section 3.4.
    """

    predicts = "labels"
    required_annotations = ("languages",)

    def build(self, tokens: TokenBatch, masked: Masked, vocab: Vocabulary, rng: Rng) -> Masked:
        masked = Labels().build(tokens, masked, vocab, rng)
        positions = np.arange(len(tokens.ids)) - language_starts(tokens)
        langs = tokens.annotations["languages"].astype(np.int64)
        return replace(masked, annotations={"position_ids": positions, "langs": langs})
