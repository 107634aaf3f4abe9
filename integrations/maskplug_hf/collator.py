"""The collator for a Hugging Face tokenizer."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from typing import Any, Self

from maskplug_torch.batch_pickle import PickledAsBytes
from maskplug_torch.collator import MaskingCollator, whole_or_none
from maskplug_torch.model_info import UNKNOWN
from maskplug_torch.rows import Padding
from transformers import BatchEncoding

import maskplug
from maskplug import Strategy, Vocabulary
from maskplug.errors import OptionError, VocabularyError, shortened
from maskplug.plugins import registry
from maskplug_hf.model import model_info
from maskplug_hf.vocabulary import vocabulary as vocabulary_of

_PACKING = "use DataCollatorForPacking(tokenizer, max_length=…)"
_TRUNCATION = (
    "truncate samples when they are tokenized: tokenizer(…, truncation=True, max_length=…)"
)

#: What to use instead of the arguments of transformers' collators.
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


class Batch(PickledAsBytes, BatchEncoding):
    """A ``BatchEncoding``, as all collators of transformers return, that is pickled as bytes."""


class DataCollatorForMasking(MaskingCollator):
    """Mask and pad batches; replaces transformers' ``DataCollatorForLanguageModeling``.

    A mask depends on the strategy, the seed, t and the sample's key: the ``sample_id`` column if
    there is one, the index in the dataset after :func:`maskplug_hf.attach`, else the content.

    Features are mappings (or bare rows of ids) whose values are lists, numpy or torch rows:

    - ``input_ids``; ``attention_mask``: 0 = padding, never masked;
    - ``special_tokens_mask``: 1 = never masked, in addition to the tokenizer's special tokens;
    - ``word_ids``: the number of each token's word, None or -1 for special tokens;
    - ``word_starts``, ``sentence_starts`` (1 = start), ``protected`` (1 = never masked), and
      other columns the strategy requires: one number per token;
    - ``sample_id``: an int, str or bytes;
    - ``labels`` (or ``label``, ``label_ids``): the sample's own. They are kept, and only the inputs
      are masked: texts to generate are padded with -100, labels of tokens follow their tokens,
      single labels are stacked. An attached Trainer does not mask such samples in evaluation. For
      objectives with weights, an order, targets or a label per input, labels that are copies of
      ``input_ids`` are replaced; other labels of tokens are refused, unless the model predicts no
      tokens;
    - ``token_type_ids`` are padded; other columns are stacked.

    Args:
        tokenizer: provides the padding, and the vocabulary unless that is given.
        strategy: a name (``"span@1"``), a spec, or a ``maskplug.Strategy``.
        seed: from 0 to 2**64 - 1.
        model: determines which columns are returned, which ids have embeddings, and how
            ``decoder_input_ids`` are made of labels; the collator does not keep it. Annotations
            that it does not take are left out; an objective that it cannot predict is refused.
        return_tensors: "pt" for torch, "np" for numpy.
        pad_to_multiple_of: widths are rounded up to a multiple of it.
        mask_id: the mask id of a tokenizer without one, or instead of its own.
        vocabulary: replaces ``maskplug_hf.vocabulary(tokenizer, mask_id)``.
        sample_keys: whether batches have a column ``sample_keys``, for random attention patterns.
        strategy_options: the strategy's options (``rate=0.15``).

    Raises:
        MaskplugError: when strategy, options and tokenizer do not fit together.

    Example:
        >>> import transformers
        >>> words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefgh"]
        >>> tokenizer = transformers.BertTokenizer(vocab={w: i for i, w in enumerate(words)})
        >>> collator = DataCollatorForMasking(tokenizer, rate=0.5, return_tensors="np")
        >>> evaluation = collator.for_evaluation()
        >>> first = evaluation([[2, 5, 6, 7, 8, 3]])["input_ids"]
        >>> collator.set_epoch(1)
        >>> bool((evaluation([[2, 5, 6, 7, 8, 3]])["input_ids"] == first).all())
        True
    """

    batch_type = Batch
    array_batch_type = BatchEncoding
    #: The number of tokens of packed rows; None: one sample per row.
    packed_length: int | None = None

    def __init__(
        self,
        tokenizer: Any,
        strategy: str | Mapping[str, Any] | Strategy = "dynamic",
        *,
        seed: int = 0,
        model: Any = None,
        return_tensors: str = "pt",
        pad_to_multiple_of: int | None = None,
        mask_id: int | None = None,
        vocabulary: Vocabulary | None = None,
        sample_keys: bool = False,
        **strategy_options: Any,
    ) -> None:
        _refuse_foreign(strategy, strategy_options)
        mask_id = whole_or_none("mask_id", mask_id)
        _check_vocabulary(vocabulary, mask_id)
        self.tokenizer = tokenizer
        super().__init__(
            vocabulary_of(tokenizer, mask_id) if vocabulary is None else vocabulary,
            maskplug.strategy(strategy, **strategy_options),
            seed=seed,
            pad_to_multiple_of=pad_to_multiple_of,
            packed_length=self.packed_length,
            return_tensors=return_tensors,
            sample_keys=sample_keys,
        )
        if model is not None:
            self._fit(model_info(model))

    @property
    def padding(self) -> Padding:
        """How batches are padded: as the tokenizer pads."""
        tokenizer = self.tokenizer
        pad_id = tokenizer.pad_token_id
        pad_id = self.vocabulary.pad_id if pad_id is None else pad_id
        if pad_id is None:
            raise VocabularyError(
                f"{type(tokenizer).__name__} has no padding token; set one "
                "(tokenizer.pad_token = tokenizer.eos_token, for example)"
            )
        return Padding(
            pad_id,
            "left" if tokenizer.padding_side == "left" else "right",
            self.pad_to_multiple_of,
            tokenizer.pad_token_type_id,
            "attention_mask" in tokenizer.model_input_names,
        )

    def as_attached(self, model: Any = None) -> Self:
        """Return a copy for a Trainer whose datasets carry the time; other samples are evaluated.

        Args:
            model: the trainer's. A model that was passed to the constructor is replaced by it if
                their classes are equal.

        Raises:
            OptionError: when the model cannot predict what the strategy makes.
        """
        twin = self.for_evaluation()
        if model is not None:
            info = model_info(model)
            # A model of another class is a wrapper, of which less is known than of its content.
            if self.model_info == UNKNOWN or self.model_info.name == info.name:
                twin._fit(info)
        return twin


def _refuse_foreign(
    strategy: str | Mapping[str, Any] | Strategy, options: Mapping[str, Any]
) -> None:
    """Refuse arguments of transformers' collators that are not options of the strategy."""
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


def _check_vocabulary(vocabulary: Any, mask_id: int | None) -> None:
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
