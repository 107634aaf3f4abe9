"""What a strategy is given and what its parts return, checked where they are called.

Authors of parts meet these messages first: they name the part, what came and what must come.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from maskplug.errors import ResultError, TokenError, VocabularyError
from maskplug.ragged import Ragged
from maskplug.tokens import Masked, Selection, TokenBatch
from maskplug.vocabulary import Vocabulary

#: For each type that a method must return, how to make one.
RETURNS: dict[type, tuple[str, str]] = {
    Selection: ("select", "maskplug.Selection.from_mask(mask, tokens)"),
    Ragged: ("replace", "maskplug.Ragged(ids, tokens.offsets)"),
    Masked: ("build", "maskplug.Masked(inputs, selection, labels=…)"),
}


def told(value: Any) -> str:
    """What a value is, for messages.

    Example:
        >>> told(np.zeros(3, bool)), told(None), told([1])
        ('a bool array of shape (3,)', 'None', 'a list')
    """
    if value is None:
        return "None"
    name = type(value).__name__
    if isinstance(value, np.ndarray):
        name = f"{value.dtype} array of shape {value.shape}"
    return f"{'an' if name[0] in 'AEIOaeio' else 'a'} {name}"


def check_arguments(tokens: Any, vocab: Any) -> None:
    """Refuse what is no batch or no vocabulary.

    Raises:
        TokenError: for a list of lists, a tensor, ….
        VocabularyError: for a tokenizer, a number, ….
    """
    if isinstance(tokens, Vocabulary) and isinstance(vocab, TokenBatch):
        raise TokenError("tokens and vocab are swapped: call strategy(tokens, vocab)")
    if not isinstance(tokens, TokenBatch):
        raise TokenError(
            f"tokens is {told(tokens)}, not a TokenBatch; build one with "
            "maskplug.TokenBatch.from_lists(rows, keys=…)"
        )
    if not isinstance(vocab, Vocabulary):
        raise VocabularyError(
            f"vocab is {told(vocab)}, not a maskplug.Vocabulary; build one with "
            "maskplug.Vocabulary(size=…, mask_id=…, special_ids=…), or with vocabulary(tokenizer) "
            "of maskplug_hf or vocabulary(dictionary) of maskplug_fairseq"
        )


def check_type(value: Any, wanted: type, method: str | None = None) -> None:
    """Refuse a result of another type.

    Raises:
        ResultError: says what to return instead.
    """
    if not isinstance(value, wanted):
        usual, remedy = RETURNS[wanted]
        raise ResultError(
            f"{method or usual}() returned {told(value)}, not a {wanted.__name__}; return {remedy}"
        )


def check_selection(selection: Any, tokens: TokenBatch) -> None:
    """Refuse what is no selection of this batch.

    Raises:
        ResultError: for another type, another number of tokens or rows, or spans that overlap.
    """
    check_type(selection, Selection)
    selection.check(tokens)


def check_inputs(inputs: Any, tokens: TokenBatch) -> None:
    """Refuse inputs that are no rows of ids, one for each sample.

    Raises:
        ResultError: for another type, or another number of rows.
    """
    check_type(inputs, Ragged)
    if len(inputs) != len(tokens):
        raise ResultError(f"replace() returned {len(inputs)} rows for {len(tokens)} samples")
