"""Statistics of masked batches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.ragged import Ragged
from maskplug.tokens import Masked, TokenBatch
from maskplug.types import IntArray
from maskplug.units import merge_adjacent
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Report:
    """Counts over a batch.

    Attributes:
        samples, tokens, maskable: numbers; maskable tokens are neither special nor protected.
        chosen: number of tokens that the strategy selected.
        masks, randoms, kept, removed: numbers of chosen tokens that are replaced by the mask token
            or another token, are unchanged (also by a random draw of the original), or have no
            token in their place (deleted, or one sentinel for a span).
        inputs, targets: numbers of tokens that the model reads and generates (0 for labels in
            place).
        empty: number of samples without a chosen token.
        span_lengths: int64; numbers of runs of chosen tokens of length 1, 2, 3, …
    """

    samples: int
    tokens: int
    maskable: int
    chosen: int
    masks: int
    randoms: int
    kept: int
    removed: int
    inputs: int
    targets: int
    empty: int
    span_lengths: IntArray

    @property
    def rate(self) -> float:
        """Share of the maskable tokens that is chosen; 0 if there are none."""
        return self.chosen / self.maskable if self.maskable else 0.0

    @property
    def mean_span(self) -> float:
        """Mean length of the runs of chosen tokens; 0 if there are none."""
        runs = self.span_lengths.sum()
        return float(self.chosen / runs) if runs else 0.0


def report(tokens: TokenBatch, masked: Masked, vocab: Vocabulary) -> Report:
    """Return statistics of a masked batch.

    Example:
        >>> import maskplug
        >>> vocab = maskplug.Vocabulary(size=99, mask_id=4)
        >>> tokens = maskplug.TokenBatch.from_lists([range(5, 45)], keys=[1])
        >>> masked = maskplug.strategy("dynamic", rate=0.5)(tokens, vocab)
        >>> report(tokens, masked, vocab).chosen
        20
    """
    mask = masked.selection.mask
    replacements = _replacements(masked.inputs, len(tokens.ids))[mask]
    removed = replacements < 0
    same = replacements == tokens.ids[mask]
    hidden = (replacements == vocab.mask_id) & ~same
    return Report(
        samples=len(tokens),
        tokens=len(tokens.ids),
        maskable=int(vocab.maskable(tokens).sum()),
        chosen=int(mask.sum()),
        masks=int(hidden.sum()),
        randoms=int((~(removed | same | hidden)).sum()),
        kept=int(same.sum()),
        removed=int(removed.sum()),
        inputs=len(masked.inputs.values),
        targets=0 if masked.targets is None else len(masked.targets.values),
        empty=int((masked.selection.counts == 0).sum()),
        span_lengths=np.bincount(merge_adjacent(masked.selection).lengths, minlength=1)[1:],
    )


def _replacements(inputs: Ragged, size: int) -> IntArray:
    """Return the input id of each of the ``size`` original tokens; -1 if there is none."""
    if inputs.sources is None:
        return np.asarray(inputs.values)
    ids = np.full(size, -1, np.int64)
    kept = inputs.sources >= 0
    ids[inputs.sources[kept]] = inputs.values[kept]
    return ids
