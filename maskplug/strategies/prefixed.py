"""A token in front of what another strategy makes: the mode that a model is asked to work in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

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
    """Writes a token in front of the inputs of another strategy; see :func:`prefixed`."""

    strategy: Strategy
    token: str | int

    def __post_init__(self) -> None:
        check_nesting(self)
        check_token("token", self.token)

    def mask(self, tokens: TokenBatch, vocab: Vocabulary, context: MaskingContext) -> Masked:
        """Mask, then write the token: it comes too late to be masked."""
        from maskplug.kernels.prefix import beginnings, insert_one

        mode = vocab.id_of(self.token, "the strategy 'prefixed'")
        masked = self.strategy.mask(tokens, vocab, context)
        ids, offsets, sources = masked.inputs.values, masked.inputs.offsets, masked.inputs.sources
        pad, bos = (-1 if own is None else own for own in (vocab.pad_id, vocab.bos_id))
        at = beginnings(ids, offsets, pad, bos)
        known = readonly([], np.int64) if sources is None else sources
        inputs = Ragged(*insert_one(ids, offsets, known, at, mode))

        def widened(values: Any, new: int) -> Any:
            return None if values is None else np.insert(values, at, new)

        labels = masked.labels
        return replace(
            masked,
            inputs=inputs,
            labels=None
            if labels is None
            else Ragged(widened(labels.values, IGNORE), inputs.offsets),
            weights=widened(masked.weights, 0),
            annotations={
                name: widened(layer, ABSENT.get(name, 0))
                for name, layer in masked.annotations.items()
            },
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
        """One more than the other strategy's: labels, where there are any, grow with the inputs."""
        inputs, outputs = self.strategy.bounds(lengths)
        return inputs + 1, outputs + 1


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
