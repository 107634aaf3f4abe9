"""The arrays of a batch: inputs, attention mask, annotations, labels and targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from maskplug.collate import visible
from maskplug.errors import TokenError
from maskplug.objectives.xlnet import perm_mask, target_labels, target_mapping
from maskplug.ragged import Ragged
from maskplug.targets import IGNORE
from maskplug.tokens import ABSENT, Masked
from maskplug.types import IntArray
from maskplug_torch.columns import aligned, stacked
from maskplug_torch.layout import OutputLayout
from maskplug_torch.model_info import ORDER, ModelInfo
from maskplug_torch.rows import Rows, positions

Arrays = dict[str, np.ndarray[Any, Any]]


@dataclass(frozen=True, eq=False)
class Collation:
    """One batch on its way to arrays: the strategy's result, its layout, its rows, the model."""

    masked: Masked
    layout: OutputLayout
    rows: Rows
    model: ModelInfo

    def input_ids(self) -> IntArray:
        """Return the masked inputs: int64, (rows, width)."""
        return self.rows.pad(self.layout.ids(), self.rows.padding.pad_id)

    def attention_mask(self) -> IntArray:
        """Return 1 for each token that the model may attend to, else 0: int64, (rows, width)."""
        seen = self.layout.visible()
        if seen is None:
            return visible(self.rows.lengths, self.rows.width, self.rows.padding.side)
        return self.rows.pad(seen, 0)

    def sample_keys(self) -> IntArray:
        """Return the bits of the samples' uint64 keys as int64."""
        return self.rows.sample_keys(self.layout.features.tokens.keys.view(np.int64))

    def token_classes(self, annotation: str) -> IntArray:
        """Return an integer annotation of the inputs, -1 on padding: int64, (rows, width)."""
        tokens = self.layout.features.tokens.rewritten(self.masked.inputs)
        return self._per_input(tokens.annotations[annotation].astype(np.int64), -1)

    def other_columns(self) -> Arrays:
        """Return the samples' other columns: ``token_type_ids`` padded, all others stacked."""
        features, arrays = self.layout.features, {}
        for name, values in features.columns.items():
            if name == "token_type_ids":
                types = aligned(name, values, features.offsets)
                rows = self.layout.rows_of_column(types, name)
                arrays[name] = self.rows.pad(rows, self.rows.padding.token_type_id)
            elif self.rows.documents is not None:
                raise TokenError(
                    f"column {name!r} has one value per sample, and a packed row has several "
                    "samples; drop the column (Trainer does so with remove_unused_columns=True)"
                )
            else:
                arrays[name] = self.layout.check_not_per_token(name, stacked(name, values))
        return arrays

    def annotations(self) -> Arrays:
        """Return the annotations of the inputs that the model takes; for packed rows, documents."""
        arrays: Arrays = {}
        documents = self.rows.documents
        if documents is not None:
            each = np.repeat(documents, self.layout.lengths)
            arrays["document_ids"] = self._per_input(each, -1)
            if self.model.accepts("position_ids"):
                arrays["position_ids"] = self._annotation(
                    "position_ids", positions(self.layout.offsets)
                )
        for name, values in self.masked.annotations.items():
            if name != ORDER and self.model.accepts(name):
                arrays[name] = self._annotation(name, values)
        return arrays

    def predictions(self) -> Arrays:
        """Return the labels or targets of the strategy, and what belongs to them."""
        masked = self.masked
        if masked.targets is not None:
            return self._targets(masked.targets)
        if masked.labels is None:
            return {}
        arrays: Arrays = {"labels": self._labels(masked.labels.values)}
        if masked.weights is not None:
            arrays["loss_weights"] = self._per_input(masked.weights, 0)
        if masked.divisors is not None:
            arrays["loss_divisors"] = self.rows.per_sample(masked.divisors)
        return self._in_order(arrays) if ORDER in masked.annotations else arrays

    def label_per_token(self, labels: Ragged) -> Arrays:
        """Return the samples' labels, one per token, at the positions of their tokens."""
        rows = self.layout.rows_of_column(labels.values, "labels", IGNORE)
        if self.rows.documents is not None:
            return {"labels": self._labels(rows.values)}
        return {"labels": self.rows.pad(rows, IGNORE)}

    def label_sequences(self, labels: Ragged) -> Arrays:
        """Return the samples' labels in rows of their own width, and the decoder's inputs."""
        return self._with_decoder_inputs({"labels": self.rows.padding.pad(labels, IGNORE)})

    def _per_input(self, values: np.ndarray[Any, Any], fill: int) -> np.ndarray[Any, Any]:
        return self.rows.pad(self.layout.rows(values, fill), fill)

    def _annotation(self, name: str, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        array = self._per_input(values, ABSENT.get(name, 0))
        if name == "position_ids":
            array += self.model.first_position
        return array

    def _labels(self, values: IntArray) -> IntArray:
        if self.rows.documents is not None and self.model.predicts_next:
            values = values.copy()  # the token before a document must not predict its first token
            values[self.layout.offsets[:-1][self.layout.lengths > 0]] = IGNORE
        labels = self._per_input(values, IGNORE)
        if self.layout.features.hidden is not None:  # some targets predict every input
            labels[self.attention_mask() == 0] = IGNORE
        return labels

    def _in_order(self, arrays: Arrays) -> Arrays:
        """Return XLNet's form: which tokens are hidden from which, one label per prediction."""
        labels = arrays["labels"]
        order = np.where(
            labels == IGNORE, -1, self._annotation(ORDER, self.masked.annotations[ORDER])
        )
        hidden = perm_mask(order, np.float32)
        # Hide padding even from a model that gets no attention mask.
        rows, columns = np.nonzero(self.attention_mask() == 0)
        hidden[rows, :, columns] = 1
        mapping = _at_least_one(target_mapping(order, np.float32), 0)
        ordered: Arrays = {
            "perm_mask": hidden,
            "target_mapping": mapping,
            "labels": _at_least_one(target_labels(order, labels), IGNORE),
        }
        if "loss_weights" in arrays:
            ordered["loss_weights"] = np.einsum("bpl,bl->bp", mapping, arrays["loss_weights"])
        if "loss_divisors" in arrays:
            ordered["loss_divisors"] = arrays["loss_divisors"]
        return ordered

    def _targets(self, targets: Ragged) -> Arrays:
        arrays: Arrays = {"labels": self.rows.padding.pad(targets, IGNORE)}
        for annotation, values in self.masked.target_annotations.items():
            name = decoder_name(annotation)
            if self.model.accepts(name):
                ids = name == "decoder_input_ids"
                fill = self.rows.padding.pad_id if ids else ABSENT.get(annotation, 0)
                arrays[name] = self.rows.padding.pad(Ragged(values, targets.offsets), fill)
        return self._with_decoder_inputs(arrays)

    def _with_decoder_inputs(self, arrays: Arrays) -> Arrays:
        if "decoder_input_ids" not in arrays:
            inputs = self.model.decoder_inputs(arrays["labels"])
            if inputs is not None:
                arrays["decoder_input_ids"] = inputs
        return arrays


def decoder_name(annotation: str) -> str:
    """Return the name in the batch of an annotation of targets."""
    return annotation if annotation.startswith("decoder_") else f"decoder_{annotation}"


def _at_least_one(predictions: np.ndarray[Any, Any], fill: int) -> np.ndarray[Any, Any]:
    """Add one prediction of padding to (samples, predicted, …) if there are none."""
    if predictions.shape[1]:
        return predictions
    return np.full((len(predictions), 1, *predictions.shape[2:]), fill, predictions.dtype)
