"""A warning for rows whose budget is exceeded by one long word or sentence."""

from __future__ import annotations

import warnings
from dataclasses import fields
from typing import Any

import numpy as np

from maskplug.errors import MaskplugWarning
from maskplug.parts import Schedule, Selector
from maskplug.rng import Rng
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import readonly
from maskplug.units import units
from maskplug.vocabulary import Vocabulary

#: Minimum length of a unit to warn of; every language has shorter long words.
LONG = 8

_warned: set[tuple[str, str, str]] = set()


def warn_of_long_units(
    label: str,
    selector: Selector,
    selection: Selection,
    tokens: TokenBatch,
    vocab: Vocabulary,
    rng: Rng,
) -> None:
    """Warn once per strategy and unit when one long unit makes a row exceed its rate.

    The condition: more than twice the rate of a row is selected, and one unit of at least eight
    tokens alone is longer than that. This happens for text without word boundaries.

    Args:
        label: label of the strategy.
        selector: a selector with the options ``unit`` and ``rate``; others are ignored.
        selection: its result for ``tokens``.
        tokens, vocab, rng: its arguments.
    """
    unit: Any = getattr(selector, "unit", "token")
    rate = getattr(selector, "rate", None)
    if unit not in ("word", "sentence") or not isinstance(rate, float | Schedule):
        return
    key = (label, type(selector).__name__, unit)
    if key in _warned:
        return
    from maskplug.kernels.units import exceeding_row

    rates = readonly(rng.value(rate), np.float64)
    row = -1
    while True:
        row = exceeding_row(
            selection.lengths, selection.offsets, tokens.offsets, rates, LONG, row + 1
        )
        if row < 0:
            return
        longest = units(tokens.row(row), vocab, unit).lengths.max(initial=0)
        if longest >= LONG and longest > 2.0 * rates[row] * tokens.lengths[row]:
            break
    _warned.add(key)
    chosen = selection.lengths[selection.offsets[row] : selection.offsets[row + 1]].sum()
    column = "'word_ids' (maskplug.segment_words makes word_starts with a segmenter)"
    choice = any(option.name == "unit" for option in fields(selector))  # type: ignore[arg-type]
    warnings.warn(
        f"strategy {label!r} ({selector}) selected {chosen} of the {tokens.lengths[row]} tokens "
        f"of a row, more than its rate: one {unit} has {longest} tokens. Add a column "
        + (column if unit == "word" else "'sentence_starts'")
        + (", or mask tokens (unit='token', or the strategy 'dynamic')" if choice else ""),
        MaskplugWarning,
        stacklevel=2,
    )
