"""A strategy with a mode token in front of its inputs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from maskplug.context import MaskingContext
from maskplug.parts import Clock, Predicts
from maskplug.ragged import Ragged
from maskplug.strategy import Strategy
from maskplug.targets import IGNORE
from maskplug.tokens import ABSENT, Masked, TokenBatch
from maskplug.types import IntArray, readonly
from maskplug.validation.nesting import check_nesting
from maskplug.validation.options import check_token
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True, repr=False)
class Prefixed(Strategy):
    """A strategy that inserts a token before another strategy's inputs; see :func:`prefixed`."""

    strategy: Strategy
    token: str | int

    def __post_init__(self) -> None:
        check_nesting(self)
        check_token("token", self.token)

    def mask(self, tokens: TokenBatch, vocab: Vocabulary, context: MaskingContext) -> Masked:
        """Mask the batch, then insert the token."""
        from maskplug.kernels.rewrite import beginnings, insert_one

        mode = vocab.id_of(self.token, "the strategy 'prefixed'")
        masked = self.strategy.mask(tokens, vocab, context)
        ids, offsets, sources = masked.inputs.values, masked.inputs.offsets, masked.inputs.sources
        pad, bos = (-1 if token is None else token for token in (vocab.pad_id, vocab.bos_id))
        at = beginnings(ids, offsets, pad, bos)
        sources = readonly([], np.int64) if sources is None else sources
        inputs = Ragged(*insert_one(ids, offsets, sources, at, mode))
        labels = masked.labels
        if labels is not None:
            labels = Ragged(np.insert(labels.values, at, IGNORE), inputs.offsets)
        weights = None if masked.weights is None else np.insert(masked.weights, at, 0)
        annotations = {
            name: np.insert(values, at, ABSENT.get(name, 0))
            for name, values in masked.annotations.items()
        }
        return replace(
            masked, inputs=inputs, labels=labels, weights=weights, annotations=annotations
        )

    @property
    def primary_clock(self) -> Clock:
        """The clock of the other strategy."""
        return self.strategy.primary_clock

    @property
    def predicts(self) -> Predicts | None:
        """The form of the other strategy."""
        return self.strategy.predicts

    def bounds(self, lengths: IntArray) -> tuple[IntArray, IntArray]:
        """Return the other strategy's bounds plus one; labels in place grow with the inputs."""
        inputs, outputs = self.strategy.bounds(lengths)
        return inputs + 1, outputs + 1


def prefixed(strategy: Strategy, token: str | int) -> Strategy:
    """Insert a token in front of the inputs of another strategy.

    The token is the first one after leading padding and ``bos_id``. It is inserted after masking
    and never predicted: its label is -100 and its weight 0.

    Args:
        strategy: by name, as a mapping or as an object.
        token: a special token of the vocabulary, by text or id.

    Source: the mode tokens of Tay et al., "UL2", 2023.
    """
    return Prefixed(strategy, token)
