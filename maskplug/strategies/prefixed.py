"""A token in front of what another strategy makes: the mode that a model is asked to work in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from maskplug.arrays import IntArray
from maskplug.parts import Clock
from maskplug.ragged import Ragged
from maskplug.strategy import Strategy
from maskplug.targets import IGNORE
from maskplug.tokens import Masked, TokenBatch
from maskplug.vocabulary import Vocabulary
from maskplug.when import When


@dataclass(frozen=True, repr=False)
class Prefixed(Strategy):
    """Writes a token in front of the inputs of another strategy; see :func:`prefixed`."""

    strategy: Strategy
    token: str | int

    def mask(self, tokens: TokenBatch, vocab: Vocabulary, when: When) -> Masked:
        """Mask, then write the token: it comes too late to be masked."""
        mode = vocab.id_of(self.token, "the strategy 'prefixed'")
        masked = self.strategy.mask(tokens, vocab, when)
        inputs = masked.inputs
        sources = np.arange(len(inputs.values)) if inputs.sources is None else inputs.sources
        at = inputs.offsets[:-1].copy()
        there = np.flatnonzero(inputs.lengths > 0)
        if vocab.bos_id is not None:
            at[there] += inputs.values[at[there]] == vocab.bos_id
        offsets = inputs.offsets + np.arange(len(inputs.offsets))

        def widened(values: Any, new: int) -> Any:
            return None if values is None else np.insert(values, at, new)

        labels = masked.labels
        return replace(
            masked,
            inputs=Ragged(widened(inputs.values, mode), offsets, widened(sources, -1)),
            labels=None if labels is None else Ragged(widened(labels.values, IGNORE), offsets),
            weights=widened(masked.weights, 0),
            layers={name: widened(layer, 0) for name, layer in masked.layers.items()},
        )

    @property
    def times(self) -> Clock:
        """The clock of the other strategy."""
        return self.strategy.times

    def bounds(self, lengths: IntArray) -> tuple[IntArray, IntArray]:
        """One more than the other strategy's: labels, where there are any, grow with the inputs."""
        inputs, outputs = self.strategy.bounds(lengths)
        return inputs + 1, outputs + 1


def prefixed(strategy: Strategy, token: str | int) -> Strategy:
    """Another strategy, with a token in front of its inputs.

    The token comes first, or second in samples that begin with the vocabulary's ``bos_id``. It is
    written after masking, never masked and never predicted: its label is -100, and it has 0 in
    weights and layers.

    Args:
        strategy: by name, by mapping or as it is.
        token: a special token of the vocabulary, by its text or id.

    Source: the mode tokens of Tay et al., "UL2", 2023.
    """
    return Prefixed(strategy, token)
