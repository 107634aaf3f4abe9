"""Mode tokens in front of the inputs, and UL2: a mixture of denoisers that uses them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from maskplug.context import MaskingContext
from maskplug.errors import OptionError
from maskplug.parts import Clock, Predicts
from maskplug.ragged import Ragged
from maskplug.strategies.composition import mixture
from maskplug.strategies.seq2seq import prefix_lm, t5
from maskplug.strategy import Strategy
from maskplug.targets import IGNORE
from maskplug.tokens import ABSENT, Masked, TokenBatch
from maskplug.types import IntArray, readonly
from maskplug.validation.nesting import check_nesting
from maskplug.validation.options import check_token
from maskplug.vocabulary import Vocabulary

#: Mean span length and rate of the regular and of the extreme denoisers.
REGULAR = ((3.0, 0.15), (8.0, 0.15))
EXTREME = ((3.0, 0.5), (8.0, 0.5), (64.0, 0.15), (64.0, 0.5))


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


def ul2(
    denoisers: tuple[Strategy, ...] | None = None,
    modes: tuple[str | int, ...] | None = ("[R]", "[S]", "[X]"),
    weights: tuple[float, ...] | None = None,
    clock: Clock | str = "epoch",
) -> Strategy:
    """Mask each sample with one of several denoisers, after the denoiser's mode token (UL2).

    The default denoisers are the paper's seven, in this order: two regular (spans of 3 or 8 tokens
    on average, 15 % hidden), one sequential (the end of a text, a quarter on average) and four
    extreme (3 and 8 tokens at 50 %, 64 at 15 % and 50 %).

    Args:
        denoisers: strategies with targets, such as ``t5`` and ``prefix_lm``, by name, as mappings
            or as objects; the paper's if omitted.
        modes: special tokens (by text or id) of the regular, sequential and extreme denoisers; with
            ``denoisers``, one for each of them. null inserts none.
        weights: relative frequency of each denoiser; equal if omitted.
        clock: when the choice of denoisers changes, and the masks of the paper's denoisers.

    Source: Tay et al., "UL2: unifying language learning paradigms", 2023, section 3.1. In the
    released model the modes are called [NLU], [S2S] and [NLG].
    """
    for mode in modes or ():
        check_token("modes", mode)
    if denoisers is None:
        denoisers = (
            *(t5(rate, length, clock=clock) for length, rate in REGULAR),
            prefix_lm(0.25, clock=clock),
            *(t5(rate, length, clock=clock) for length, rate in EXTREME),
        )
        if modes is not None and len(modes) != 3:
            raise OptionError(
                f"option 'modes' is {list(modes)}; three tokens are needed, for regular, "
                "sequential and extreme denoisers"
            )
        if modes is not None:
            regular, sequential, extreme = modes
            modes = (*[regular] * len(REGULAR), sequential, *[extreme] * len(EXTREME))
    if modes is None:
        return mixture(denoisers, weights, clock)
    if len(modes) != len(denoisers):
        raise OptionError(
            f"option 'modes' has {len(modes)} tokens for {len(denoisers)} denoisers: give one "
            "each, or null to write none"
        )
    with_modes = tuple(prefixed(*pair) for pair in zip(denoisers, modes, strict=True))
    return mixture(with_modes, weights, clock)
