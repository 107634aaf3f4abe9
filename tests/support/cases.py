"""The options and annotations that some built-in strategies need to run at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import maskplug
from maskplug import TokenBatch, Vocabulary
from maskplug.plugins import registry
from maskplug.registry import BUILTIN

DATA = Path(__file__).with_name("data")
#: All built-in strategies.
ENTRIES = [entry for entry in registry().of_kind("strategy") if entry.provider == BUILTIN]
LABELS = [entry.label for entry in ENTRIES]
#: Everything that a strategy can need of a vocabulary; ids below 60 as in ``batches.VOCAB``.
RICH = Vocabulary(
    size=200,
    mask_id=4,
    pad_id=0,
    bos_id=2,
    eos_id=3,
    special_ids=[1, 59],
    sentinel_ids=range(199, 99, -1),
    word_start=np.arange(200) % 2 == 0,
    sentence_end=np.isin(np.arange(200), [7, 9]),
    named={
        "[R]": 60,
        "[S]": 61,
        "[X]": 62,
        "<fim_prefix>": 63,
        "<fim_middle>": 64,
        "<fim_suffix>": 65,
        "<mask_1>": 66,
        "en_XX": 67,
    },
)


@dataclass(frozen=True)
class Case:
    """The options of a strategy, and a function that returns its required annotations."""

    options: Mapping[str, Any] = field(default_factory=dict)
    annotations: Callable[[TokenBatch], dict[str, Any]] = lambda tokens: {}

    def batch(self, tokens: TokenBatch) -> TokenBatch:
        """The batch with the annotations that the strategy requires."""
        annotations = {**tokens.annotations, **self.annotations(tokens)}
        return TokenBatch(tokens.ids, tokens.offsets, tokens.keys, annotations)

    def make(self, label: str) -> maskplug.Strategy:
        """The strategy of this name."""
        return maskplug.strategy(label, **self.options)


def losses(tokens: TokenBatch) -> dict[str, Any]:
    """A loss for each token, from its id and its sample's key; half of the samples are easy."""
    even = np.repeat(maskplug.derive(tokens.keys, "easy") % 2 == 0, tokens.lengths)
    return {"losses": np.where(even & (tokens.ids % 13 == 0), 0.5, 0.05)}


CASES: dict[str, Case] = {
    "self_evolution@1": Case(annotations=losses),
    "compose@1": Case({"selector": "independent"}),
    "mixture@1": Case({"strategies": ["dynamic", "span"], "weights": [2, 1]}),
    "chain@1": Case({"strategies": ["word_dropout", "dynamic"]}),
    "prefixed@1": Case({"strategy": "t5", "token": "[R]"}),
    "pmi@1": Case({"ngrams": DATA / "ngrams.txt"}),
    "salient@1": Case(annotations=lambda tokens: {"salient": tokens.ids // 4 % 3}),
    "tlm@1": Case(annotations=lambda tokens: {"languages": tokens.ids // 30}),
    "weighted@1": Case(annotations=lambda tokens: {"scores": tokens.ids % 7 / 2}),
    "gap_sentences@1": Case({"choose": "random"}),  # the others are not drawn
    "code_switch@1": Case({"dictionary": str(DATA / "dictionary.tsv")}),
}


def case(label: str) -> Case:
    """The case of a strategy, by default without options and annotations."""
    return CASES.get(label, Case())
