"""The packing collator: several whole samples per row, with hardly any padding."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Self

import maskplug
from maskplug.errors import MaskplugWarning
from maskplug.validation.options import check_argument
from maskplug_hf.attention.handle import HANDLE
from maskplug_hf.attention.mixing import known_mixer
from maskplug_hf.collator import DataCollatorForMasking
from maskplug_hf.model import base_model


class DataCollatorForPacking(DataCollatorForMasking):
    """Mask like :class:`DataCollatorForMasking`, and pack several samples into each row.

    Every sample is masked on its own, by its own key, and has the same mask as in any other batch,
    packed or not. The samples of one batch share rows; none is truncated or moved to another batch.

    The samples of a row must not attend to each other. To prevent it, call
    ``maskplug_hf.attention.use_attention(model, "document")``; the pattern reads the column
    ``document_ids`` (int64: 0, 1, … in each row, -1 for padding). ``position_ids`` restart in each
    document where the model takes them, and the first token of a document has no label where a
    causal model, known from ``model`` or from attach, would predict it from the document before.

    Args:
        tokenizer: see :class:`DataCollatorForMasking`, as for all other arguments.
        strategy: ``"none"`` packs without masking.
        max_length: the maximum number of tokens per row. Rows are as wide as the longest of their
            batch; ``pad_to_multiple_of=max_length`` gives all batches one width.
        options: the other arguments, and the strategy's options. With ``sample_keys=True`` batches
            have one of the ``sample_keys`` per token, (rows, width).

    Raises:
        MaskplugError: when strategy, options, tokenizer and model do not fit together, or the
            strategy's predictions cannot be packed.
    """

    def __init__(
        self,
        tokenizer: Any,
        strategy: str | Mapping[str, Any] | maskplug.Strategy = "dynamic",
        *,
        max_length: int,
        **options: Any,
    ) -> None:
        check_argument("max_length", max_length, 1)
        self.packed_length = max_length
        super().__init__(tokenizer, strategy, **options)

    def as_attached(self, model: Any = None) -> Self:
        """See :class:`DataCollatorForMasking`; warn of a model that mixes documents."""
        mixing = None if model is None else known_mixer(base_model(model))
        if mixing is not None:
            warnings.warn(mixing, MaskplugWarning, stacklevel=3)
        elif model is not None and not _separates_documents(model):
            warnings.warn(
                f"{type(model).__name__} gets packed rows, but has no attention pattern that "
                "separates their documents: tokens attend to other documents without any error. "
                'Call maskplug_hf.attention.use_attention(model, "document") before '
                "attach(trainer)",
                MaskplugWarning,
                stacklevel=3,
            )
        return super().as_attached(model)


def _separates_documents(model: Any) -> bool:
    """Whether patterns separate documents, in training and in evaluation."""
    attention = getattr(base_model(model), HANDLE, None)
    if attention is None:
        return False
    both = (attention.patterns, attention.evaluation)
    return all(any(pattern.separates for pattern in some.values()) for some in both)
