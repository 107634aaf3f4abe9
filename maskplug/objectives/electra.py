"""ELECTRA's discriminator: inputs, labels and sampling from the generator.

The strategy ``electra`` creates the generator's inputs and labels; these functions use what the
generator samples for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from maskplug.errors import TokenError
from maskplug.ragged import Ragged
from maskplug.rng import Rng
from maskplug.targets.labels import in_place
from maskplug.tokens import Masked, Selection, TokenBatch
from maskplug.types import FloatArray, IntArray, lengths_of, offsets_of

#: Returns the generator's ids at the selected tokens, from its inputs and the selection.
Generator = Callable[[Ragged, Selection], Any]


@dataclass(frozen=True, eq=False)
class Discriminated:
    """Training data of the discriminator.

    Attributes:
        inputs: the original with the generator's ids at every selected token, int64.
        labels: 1 for inputs that are not the original token, otherwise 0: int64. Special tokens are
            0 and count in the loss; a collator pads with -100.
    """

    inputs: Ragged
    labels: Ragged


def discriminate(
    tokens: TokenBatch, masked: Masked, sampled: IntArray | Generator
) -> Discriminated:
    """Insert the generator's ids into the original and label those that differ.

    An id that equals the original token counts as original. Selected tokens that were visible to
    the generator are sampled like the others.

    Args:
        tokens: the original, without padding.
        masked: the result of the strategy ``electra`` (or another with labels in place).
        sampled: the generator's ids, one for each selected token of the batch in order, or a
            function that returns them from ``masked.inputs`` and ``masked.selection``.

    Raises:
        TokenError: if the strategy changed the length or order of the tokens, or if there is not
            one integer id for each selected token.

    Source: Clark et al., "ELECTRA", 2020, section 2.

    Example:
        >>> import maskplug
        >>> vocab = maskplug.Vocabulary(size=100, mask_id=4, special_ids=[2, 3])
        >>> tokens = maskplug.TokenBatch.from_lists([[2, 17, 88, 51, 3]], keys=["doc-1"])
        >>> masked = maskplug.strategy("electra", rate=0.6)(tokens, vocab, seed=7)
        >>> masked.inputs.to_lists()
        [[2, 4, 88, 4, 3]]
        >>> data = discriminate(tokens, masked, [17, 9])
        >>> data.inputs.to_lists(), data.labels.to_lists()
        ([[2, 17, 88, 9, 3]], [[0, 0, 0, 1, 0]])
    """
    if not in_place(masked.inputs, tokens):
        raise TokenError(
            "a discriminator labels tokens in place, and this strategy changed the length or the "
            "order of the tokens; use one with labels in place, such as 'electra'"
        )
    chosen = masked.selection.mask
    ids = np.asarray(sampled(masked.inputs, masked.selection) if callable(sampled) else sampled)
    count = int(chosen.sum())
    if ids.shape != (count,) or (count and ids.dtype.kind not in "iu"):
        raise TokenError(
            f"the generator's ids are {ids.dtype} of shape {ids.shape}; one integer is needed for "
            f"each of the {count} selected tokens"
        )
    inputs = tokens.ids.copy()
    inputs[chosen] = ids
    labels = (inputs != tokens.ids).astype(np.int64)
    return Discriminated(Ragged(inputs, tokens.offsets), Ragged(labels, tokens.offsets))


def sample(logits: FloatArray, selection: Selection, rng: Rng) -> IntArray:
    """Draw one id for each selected token from the softmax of its logits: int64.

    One uniform number per token is looked up in the cumulative softmax. This is equivalent in
    distribution to Gumbel noise, with one draw instead of one per id. The draw depends on the
    sample and the index of the token among its selected tokens, not on the batch.

    Args:
        logits: shape (selected tokens of the batch, ids), in order; -inf excludes an id.
        selection: ``masked.selection``.
        rng: ``Rng.at(seed, t, tokens.keys)``; draws ``electra sample``.

    Raises:
        TokenError: if there is not one row of logits for each selected token, or a row has no
            finite maximum.

    Example:
        >>> selection = Selection(np.array([1, 2]), np.array([1, 1]), np.array([0, 2]), 4)
        >>> logits = np.array([[0.0, 0.0], [-np.inf, 0.0]])
        >>> sample(logits, selection, Rng.at(seed=1, t=0, keys=[7])).tolist()
        [0, 1]
    """
    logits = np.asarray(logits)
    rows = offsets_of(selection.lengths)[selection.offsets]  # row offsets of the selected tokens
    if logits.ndim != 2 or len(logits) != rows[-1] or (len(logits) and not logits.shape[1]):
        raise TokenError(
            f"the logits have shape {logits.shape}; one row is needed for each of the {rows[-1]} "
            "selected tokens"
        )
    maxima = logits.max(axis=1, initial=-np.inf)
    invalid = np.flatnonzero(~np.isfinite(maxima))
    if len(invalid):
        row = int(np.searchsorted(rows, invalid[0], side="right")) - 1
        raise TokenError(f"sample {row} has a row of logits without a finite maximum")
    uniform = rng.uniform("electra sample", lengths_of(rows))
    ids = np.empty(len(logits), np.int64)
    with np.errstate(over="ignore"):  # differences that overflow have the probability 0
        for i, point in enumerate(uniform.tolist()):  # row by row, to save memory
            cumulative = np.cumsum(np.exp(logits[i].astype(np.float64) - float(maxima[i])))
            ids[i] = np.searchsorted(cumulative, point * cumulative[-1], side="right")
    return ids
