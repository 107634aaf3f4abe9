"""Checks of the collator's arguments, and hints for those of transformers' collators."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Collection, Mapping
from typing import Any

from maskplug import Strategy, Vocabulary
from maskplug.errors import OptionError, shortened
from maskplug.plugins import registry

_PACKING = "write DataCollatorForPacking(tokenizer, max_length=…)"
_TRUNCATION = "cut samples when they are tokenized: tokenizer(…, truncation=True, max_length=…)"

#: What to write in place of these. The names of options are left to the strategy, which knows them.
REPLACEMENTS = {
    "mlm": "leave it out: strategies mask, rate=0.15 says how much, and 'none' masks nothing",
    "whole_word_mask": "write DataCollatorForMasking(tokenizer, 'whole_word')",
    "plm_probability": "write DataCollatorForMasking(tokenizer, 'permutation', rate=…)",
    "padding": "leave it out: rows are padded to the longest of their batch",
    "label_pad_token_id": "leave it out: labels are padded with -100",
    "max_length": _TRUNCATION,
    "truncation": _TRUNCATION,
    "return_flash_attn_kwargs": _PACKING,
    "return_position_ids": _PACKING,
    "return_seq_idx": _PACKING,
    "separator_id": _PACKING,
}


def refuse_foreign(
    strategy: str | Mapping[str, Any] | Strategy, options: Mapping[str, Any]
) -> None:
    """Refuse arguments of transformers' collators that are no options of the strategy.

    Raises:
        OptionError: naming what to write in place of each.
    """
    if isinstance(strategy, int | float):  # their second argument is mlm
        raise OptionError(
            f"strategy is {strategy!r}; write DataCollatorForMasking(tokenizer, 'dynamic', "
            "rate=0.15)"
        )
    names = [name for name in REPLACEMENTS if name in options]
    if not names:
        return
    known = _options_of(strategy)
    hints = [f"{name}: {REPLACEMENTS[name]}" for name in names if name not in known]
    if hints:
        raise OptionError(f"DataCollatorForMasking has no such argument ({'; '.join(hints)})")


def _options_of(strategy: str | Mapping[str, Any] | Strategy) -> Collection[str]:
    if isinstance(strategy, Strategy):
        return ()
    name = strategy.get("strategy", "") if isinstance(strategy, Mapping) else strategy
    return inspect.signature(registry().find("strategy", name).factory).parameters


def whole_or_none(name: str, value: Any) -> int | None:
    """An optional argument that is a whole number.

    Raises:
        OptionError: naming the argument and the value received.
    """
    if value is None:
        return None
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise OptionError(f"{name} is {shortened(value)}; it must be a whole number or None")
    return number


def check_vocabulary(vocabulary: Any, mask_id: int | None) -> None:
    """Refuse what is no vocabulary, and a mask beside one.

    Raises:
        OptionError: naming what was given.
    """
    if vocabulary is None:
        return
    if mask_id is not None:
        raise OptionError("give mask_id or a vocabulary, which has its own, not both")
    if not isinstance(vocabulary, Vocabulary):
        raise OptionError(
            f"vocabulary is {shortened(vocabulary)}; it must be a maskplug.Vocabulary, such as "
            "maskplug_hf.vocabulary(tokenizer)"
        )
