"""Checks of the arguments of strategies and of the results of their parts.

Messages name the part, the value and the expected type.
"""

from __future__ import annotations

import warnings
from dataclasses import fields
from typing import Any

import numpy as np

from maskplug.errors import MaskplugWarning, ResultError, TokenError, VocabularyError
from maskplug.parts import Schedule, Selector
from maskplug.ragged import Ragged
from maskplug.rng import Rng
from maskplug.tokens import Masked, Selection, TokenBatch
from maskplug.types import readonly
from maskplug.units import units
from maskplug.vocabulary import Vocabulary

#: Minimum length of a unit to warn of; every language has shorter long words.
LONG = 8

_warned: set[tuple[str, str, str]] = set()

#: Return type → method that returns it, and how to construct it.
RETURNS: dict[type, tuple[str, str]] = {
    Selection: ("select", "maskplug.Selection.from_mask(mask, tokens)"),
    Ragged: ("replace", "maskplug.Ragged(ids, tokens.offsets)"),
    Masked: ("build", "maskplug.Masked(inputs, selection, labels=…)"),
}


def type_of(value: Any) -> str:
    """Return the type of a value with article, and shape for arrays.

    Example:
        >>> type_of(np.zeros(3, bool)), type_of(None), type_of([1])
        ('a bool array of shape (3,)', 'None', 'a list')
    """
    if value is None:
        return "None"
    name = type(value).__name__
    if isinstance(value, np.ndarray):
        name = f"{value.dtype} array of shape {value.shape}"
    return f"{'an' if name[0] in 'AEIOaeio' else 'a'} {name}"


def check_arguments(tokens: Any, vocab: Any) -> None:
    """Raise a TokenError or a VocabularyError for arguments of other types."""
    if isinstance(tokens, Vocabulary) and isinstance(vocab, TokenBatch):
        raise TokenError("tokens and vocab are swapped: call strategy(tokens, vocab)")
    if not isinstance(tokens, TokenBatch):
        raise TokenError(
            f"tokens is {type_of(tokens)}, not a TokenBatch; build one with "
            "maskplug.TokenBatch.from_lists(rows, keys=…)"
        )
    if not isinstance(vocab, Vocabulary):
        raise VocabularyError(
            f"vocab is {type_of(vocab)}, not a maskplug.Vocabulary; build one with "
            "maskplug.Vocabulary(size=…, mask_id=…, special_ids=…), or with vocabulary(tokenizer) "
            "of maskplug_hf or vocabulary(dictionary) of maskplug_fairseq"
        )


def check_type(value: Any, wanted: type, method: str | None = None) -> None:
    """Raise a ResultError for another type; it shows how to construct the expected one."""
    if not isinstance(value, wanted):
        usual, remedy = RETURNS[wanted]
        raise ResultError(
            f"{method or usual}() returned {type_of(value)}, not a {wanted.__name__}; "
            f"return {remedy}"
        )


def check_selection(selection: Any, tokens: TokenBatch) -> None:
    """Raise a ResultError unless a value is a selection that is valid for a batch."""
    check_type(selection, Selection)
    selection.check(tokens)


def check_inputs(inputs: Any, tokens: TokenBatch) -> None:
    """Raise a ResultError unless inputs are ragged rows, one per sample."""
    check_type(inputs, Ragged)
    if len(inputs) != len(tokens):
        raise ResultError(f"replace() returned {len(inputs)} rows for {len(tokens)} samples")


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
