"""Checks of the collator's arguments, with hints for those of transformers' collators."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from typing import Any

from maskplug import Strategy, Vocabulary
from maskplug.errors import OptionError, shortened
from maskplug.plugins import registry

_PACKING = "use DataCollatorForPacking(tokenizer, max_length=…)"
_TRUNCATION = (
    "truncate samples when they are tokenized: tokenizer(…, truncation=True, max_length=…)"
)

#: What to use instead of these arguments, unless they are options of the strategy.
REPLACEMENTS = {
    "mlm": "leave it out: strategies mask, rate=0.15 is the share, and 'none' masks nothing",
    "whole_word_mask": "use DataCollatorForMasking(tokenizer, 'whole_word')",
    "plm_probability": "use DataCollatorForMasking(tokenizer, 'permutation', rate=…)",
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
    """Refuse arguments of transformers' collators that are not options of the strategy.

    Raises:
        OptionError: naming the replacement of each.
    """
    if isinstance(strategy, int | float):  # the second argument of their collators is mlm
        raise OptionError(
            f"strategy is {strategy!r}; use DataCollatorForMasking(tokenizer, 'dynamic', rate=0.15)"
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


def check_vocabulary(vocabulary: Any, mask_id: int | None) -> None:
    """Refuse values that are not a vocabulary, and a mask id together with one."""
    if vocabulary is None:
        return
    if mask_id is not None:
        raise OptionError("pass either mask_id or a vocabulary, which has its own mask_id")
    if not isinstance(vocabulary, Vocabulary):
        raise OptionError(
            f"vocabulary is {shortened(vocabulary)}; it must be a maskplug.Vocabulary, such as "
            "maskplug_hf.vocabulary(tokenizer)"
        )
