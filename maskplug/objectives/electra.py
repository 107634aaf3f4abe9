"""The half of ELECTRA that needs a model: what the discriminator reads, and what it must say.

The strategy ``electra`` makes the generator's inputs and labels. What the generator samples for
them comes back here.
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

#: Tells the generator's ids at the chosen tokens, from its inputs and what was chosen.
Generator = Callable[[Ragged, Selection], Any]


@dataclass(frozen=True, eq=False)
class Discriminated:
    """What the discriminator is trained on.

    Attributes:
        inputs: the original with the generator's ids at every chosen token, int64.
        labels: 1 where an input is not the original token, 0 where it is: int64, one each. Special
            tokens are 0, for the loss takes them in; a collator pads with -100.
    """

    inputs: Ragged
    labels: Ragged


def discriminate(
    tokens: TokenBatch, masked: Masked, sampled: IntArray | Generator
) -> Discriminated:
    """Put the generator's ids into the original, and say which of them are wrong.

    An id that happens to be the original counts as original. The chosen tokens that the generator
    read unmasked are sampled like the others.

    Args:
        tokens: the original, without padding.
        masked: what the strategy ``electra`` (or another with labels in place) made of it.
        sampled: the generator's ids, one for each chosen token of the batch in order; or a function
            that gives them from ``masked.inputs`` and ``masked.selection``.

    Raises:
        TokenError: when the strategy changed the length or order of the tokens, or there is not one
            id (a whole number) for each chosen token.

    Source: Clark et al., "ELECTRA", 2020, section 2.

    Example:
        >>> import maskplug
        >>> vocab = maskplug.Vocabulary(size=100, mask_id=4, special_ids=[2, 3])
        >>> tokens = maskplug.TokenBatch.from_lists([[2, 17, 88, 51, 3]], keys=["doc-1"])
        >>> masked = maskplug.strategy("electra", rate=0.6)(tokens, vocab, seed=7)
        >>> masked.inputs.to_lists()
        [[2, 4, 88, 4, 3]]
        >>> made = discriminate(tokens, masked, [17, 9])
        >>> made.inputs.to_lists(), made.labels.to_lists()
        ([[2, 17, 88, 9, 3]], [[0, 0, 0, 1, 0]])
    """
    if not in_place(masked.inputs, tokens):
        raise TokenError(
            "a discriminator tells originals apart in place, and this strategy changed the length "
            "or the order of the tokens; use one with labels in place, such as 'electra'"
        )
    chosen = masked.selection.mask
    ids = np.asarray(sampled(masked.inputs, masked.selection) if callable(sampled) else sampled)
    wanted = int(chosen.sum())
    if ids.shape != (wanted,) or (wanted and ids.dtype.kind not in "iu"):
        raise TokenError(
            f"the generator's ids are {ids.dtype} of shape {ids.shape}; one whole number is needed "
            f"for each of the {wanted} chosen tokens"
        )
    inputs = tokens.ids.copy()
    inputs[chosen] = ids
    labels = (inputs != tokens.ids).astype(np.int64)
    return Discriminated(Ragged(inputs, tokens.offsets), Ragged(labels, tokens.offsets))


def sample(logits: FloatArray, selection: Selection, rng: Rng) -> IntArray:
    """One id for each chosen token, drawn from the softmax of its logits: int64.

    One uniform number for each chosen token picks the id at that point of the cumulated softmax:
    the law of adding Gumbel noise, for one draw instead of as many as there are ids. The draw
    belongs to the sample and to the number of the chosen token in it, and is the same in every
    batch.

    Args:
        logits: of shape (chosen tokens of the batch, ids), in order; -inf rules an id out.
        selection: ``masked.selection``.
        rng: ``Rng.at(seed, t, tokens.keys)``; draws ``electra sample``.

    Raises:
        TokenError: when there is not one row of logits for each chosen token, or a row has no
            finite greatest number.

    Example:
        >>> selection = Selection(np.array([1, 2]), np.array([1, 1]), np.array([0, 2]), 4)
        >>> logits = np.array([[0.0, 0.0], [-np.inf, 0.0]])
        >>> sample(logits, selection, Rng.at(seed=1, t=0, keys=[7])).tolist()
        [0, 1]
    """
    logits = np.asarray(logits)
    rows = offsets_of(selection.lengths)[selection.offsets]  # of each sample's chosen tokens
    if logits.ndim != 2 or len(logits) != rows[-1] or (len(logits) and not logits.shape[1]):
        raise TokenError(
            f"the logits have shape {logits.shape}; one row is needed for each of the {rows[-1]} "
            "chosen tokens"
        )
    greatest = logits.max(axis=1, initial=-np.inf)
    wrong = np.flatnonzero(~np.isfinite(greatest))
    if len(wrong):
        guilty = int(np.searchsorted(rows, wrong[0], side="right")) - 1
        raise TokenError(f"sample {guilty} has a row of logits without a finite greatest number")
    uniform = rng.uniform("electra sample", lengths_of(rows))
    ids = np.empty(len(logits), np.int64)
    with np.errstate(over="ignore"):  # what is that far below the greatest has no chance
        for i, point in enumerate(uniform.tolist()):  # by row: logits may fill the memory
            below = np.cumsum(np.exp(logits[i].astype(np.float64) - float(greatest[i])))
            ids[i] = np.searchsorted(below, point * below[-1], side="right")
    return ids
