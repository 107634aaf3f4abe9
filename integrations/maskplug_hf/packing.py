"""The packing collator: whole samples side by side in few rows, and hardly any padding."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np

import maskplug
from maskplug.errors import MaskplugWarning, OptionError, TokenError, shortened
from maskplug.ragged import Ragged
from maskplug.tokens import Masked
from maskplug.validation.options import is_whole
from maskplug_hf.attention.handle import HANDLE
from maskplug_hf.attention.mixing import known_mixer
from maskplug_hf.collator import DataCollatorForMasking
from maskplug_hf.columns import Column
from maskplug_hf.model import ModelFacts, base_model
from maskplug_hf.outputs import ORDER, Arrays, Outputs
from maskplug_hf.own_labels import OwnLabels
from maskplug_hf.packed import PackedOutputs
from maskplug_hf.shown import Shown


class DataCollatorForPacking(DataCollatorForMasking):
    """Masks as :class:`DataCollatorForMasking` does, and puts several samples into each row.

    Every sample is masked by itself, by its own key, and has the same mask as in any other batch,
    packed or not. The samples of one batch share rows; none is cut, none leaves its batch.

    A model must be told that they are strangers: otherwise they attend to each other, and nothing
    fails. Say ``maskplug_hf.attention.use_attention(model, "document")``; it reads the column
    ``document_ids`` (int64: 0, 1, … in each row, -1 for padding). ``position_ids`` begin anew in
    each document where the model takes them, and a causal model that is known, from ``model`` or
    from attach, is not asked to predict a document's first token from the one before.

    Args:
        tokenizer: see :class:`DataCollatorForMasking`, as for all other arguments.
        strategy: ``"none"`` packs and masks nothing.
        max_length: how many tokens a row may have. Rows are as wide as the longest of their batch;
            ``pad_to_multiple_of=max_length`` gives all batches one width.
        options: the other arguments, and the strategy's options. With ``sample_keys=True`` batches
            hold ``sample_keys`` for each token, (rows, width): those of its sample.

    Raises:
        MaskplugError: when strategy, options, tokenizer and model do not fit together, or the
            strategy's predictions have a form that cannot be packed.
    """

    def __init__(
        self,
        tokenizer: Any,
        strategy: str | Mapping[str, Any] | maskplug.Strategy = "dynamic",
        *,
        max_length: int,
        **options: Any,
    ) -> None:
        if not is_whole(max_length) or max_length < 1:
            raise OptionError(
                f"max_length is {shortened(max_length)}; it must be a whole number of tokens, at "
                "least 1"
            )
        self.max_length = max_length
        super().__init__(tokenizer, strategy, **options)

    def as_attached(self, model: Any = None) -> Self:
        """See :class:`DataCollatorForMasking`; warns of a model whose documents would mix."""
        mixes = None if model is None else known_mixer(base_model(model))
        if mixes is not None:
            warnings.warn(mixes, MaskplugWarning, stacklevel=3)
        elif model is not None and not _parts_documents(model):
            warnings.warn(
                f"{type(model).__name__} gets packed rows, and has no attention pattern that keeps "
                "their documents apart: each token attends to strangers, and nothing fails. Say "
                'maskplug_hf.attention.use_attention(model, "document") before attach(trainer)',
                MaskplugWarning,
                stacklevel=3,
            )
        return super().as_attached(model)

    def _try(self) -> Masked:
        tried = super()._try()
        if tried.targets is not None or ORDER in tried.annotations:
            raise OptionError(
                f"strategy {self.strategy.label!r} predicts something else than its inputs in "
                "place, and that is not packed: choose a strategy with labels in place "
                "('dynamic', 'span', 'fim'), or pad (DataCollatorForMasking)"
            )
        return tried

    def _rehearse(self, tried: Masked) -> None:
        if len(tried.inputs.values) <= self.max_length:  # else it would be refused
            super()._rehearse(tried)

    def _fit(self, facts: ModelFacts) -> None:
        super()._fit(facts)
        if facts.decoder:
            raise OptionError(
                f"{facts.name} has an encoder and a decoder, and pairs are not packed: pad "
                "them (DataCollatorForMasking)"
            )

    def _outputs(self, masked: Masked, shown: Shown) -> Outputs:
        shown = replace(shown, with_padding=False)  # or the features' own would be packed as well
        long = np.flatnonzero(shown.lengths > self.max_length)
        if len(long):
            key = shown.given.tokens.keys[long[0]]
            raise TokenError(
                f"feature {long[0]} (sample key {key}) has {shown.lengths[long[0]]} tokens, and "
                f"max_length is {self.max_length}: cut samples when they are tokenized "
                "(tokenizer(…, truncation=True, max_length=…)), drop this one, or allow longer "
                "rows; packing itself cuts nothing"
            )
        multiple = self.pad_to_multiple_of
        return PackedOutputs(
            masked, shown, self.facts, self._pad_id, self._side, multiple, room=self.max_length
        )

    def _others(self, columns: dict[str, Column], out: Outputs) -> Arrays:
        for name in columns:
            if name != "token_type_ids":
                raise TokenError(
                    f"column {name!r} belongs to a sample, and a packed row has several; drop the "
                    "column (Trainer does so with remove_unused_columns=True)"
                )
        return super()._others(columns, out)

    def _own(self, labels: Any, out: Outputs) -> Arrays:
        """The samples' own labels, if there is one for each token."""
        given = out.shown.given
        if not isinstance(labels, Ragged) or (labels.lengths != given.lengths).any():
            raise TokenError(
                "labels are packed when there is one for each token; these are of another length "
                "than their samples, or one a sample: pad them (DataCollatorForMasking)"
            )
        return super()._own(labels, out)

    def _kept(self, labels: OwnLabels) -> Arrays:
        return labels.at_their_tokens()  # no others are packed


def _parts_documents(model: Any) -> bool:
    """Whether a pattern keeps documents apart, in training and in evaluation."""
    attention = getattr(base_model(model), HANDLE, None)
    if attention is None:
        return False
    both = (attention.patterns, attention.evaluation)
    return all(any(pattern.separates for pattern in some.values()) for some in both)
