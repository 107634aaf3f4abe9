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
from maskplug.tokens import ABSENT, Masked, TokenBatch
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
        at = _beginnings(inputs, vocab)
        offsets = inputs.offsets + np.arange(len(inputs.offsets))

        def widened(values: Any, new: int) -> Any:
            return None if values is None else np.insert(values, at, new)

        labels = masked.labels
        return replace(
            masked,
            inputs=Ragged(widened(inputs.values, mode), offsets, widened(sources, -1)),
            labels=None if labels is None else Ragged(widened(labels.values, IGNORE), offsets),
            weights=widened(masked.weights, 0),
            layers={
                name: widened(layer, ABSENT.get(name, 0)) for name, layer in masked.layers.items()
            },
        )

    @property
    def times(self) -> Clock:
        """The clock of the other strategy."""
        return self.strategy.times

    def bounds(self, lengths: IntArray) -> tuple[IntArray, IntArray]:
        """One more than the other strategy's: labels, where there are any, grow with the inputs."""
        inputs, outputs = self.strategy.bounds(lengths)
        return inputs + 1, outputs + 1


def _beginnings(rows: Ragged, vocab: Vocabulary) -> IntArray:
    """Where the text of every row begins: behind padding, and behind ``bos_id``."""
    text = np.flatnonzero(rows.values != (-1 if vocab.pad_id is None else vocab.pad_id))
    text = np.append(text, len(rows.values))
    ends = rows.offsets[1:]
    at = np.minimum(text[np.searchsorted(text, rows.offsets[:-1])], ends)
    there = np.flatnonzero(at < ends)
    if vocab.bos_id is not None:
        at[there] += rows.values[at[there]] == vocab.bos_id
    return at


def prefixed(strategy: Strategy, token: str | int) -> Strategy:
    """Another strategy, with a token in front of its inputs.

    The token comes first, behind padding and ``bos_id`` where samples begin with them. It is
    written after masking, never masked and never predicted: its label is -100, and it has 0 in
    weights.

    Args:
        strategy: by name, by mapping or as it is.
        token: a special token of the vocabulary, by its text or id.

    Source: the mode tokens of Tay et al., "UL2", 2023.
    """
    return Prefixed(strategy, token)
