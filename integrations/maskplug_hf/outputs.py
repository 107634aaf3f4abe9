"""What a strategy made, as the padded arrays that a model takes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from maskplug.collate import Side, pad, padded_width, visible
from maskplug.objectives.xlnet import perm_mask, target_labels, target_mapping
from maskplug.ragged import Ragged
from maskplug.targets import IGNORE
from maskplug.tokens import ABSENT, Masked
from maskplug.types import IntArray
from maskplug_hf.model import ModelFacts
from maskplug_hf.shown import Shown

Arrays = dict[str, np.ndarray[Any, Any]]

#: The layer of XLNet's objective: the model is given what follows from it instead.
ORDER = "order"


@dataclass(frozen=True, eq=False)
class Outputs:
    """The arrays of one batch.

    Args:
        masked: what the strategy made.
        shown: how its inputs are shown.
        model: what is known of the model, or None.
        pad_id: what ids are padded with.
        side: where padding is added.
        multiple_of: rounds widths up.
    """

    masked: Masked
    shown: Shown
    model: ModelFacts | None
    pad_id: int
    side: Side
    multiple_of: int | None

    @property
    def lengths(self) -> IntArray:
        """How many tokens each row has."""
        return self.shown.lengths

    @cached_property
    def width(self) -> int:
        """The width of everything that is aligned with the inputs."""
        return self._width(self.lengths)

    def _width(self, lengths: IntArray) -> int:
        # No model takes a width of 0: what is empty in all rows is padding.
        return padded_width(np.maximum(lengths, 1), self.multiple_of)

    def pad(self, rows: Ragged, fill: int, width: int | None = None) -> np.ndarray[Any, Any]:
        """Rows at a width, or at that of the longest; int64, or float32 for floats."""
        width = self._width(rows.lengths) if width is None else width
        array = pad(rows, fill, width, self.side)
        return array.astype(np.float32) if array.dtype.kind == "f" else array

    def input_ids(self) -> IntArray:
        """The masked inputs."""
        return self.pad(self.shown.ids, self.pad_id, self.width)

    def attention_mask(self) -> IntArray:
        """1 = seen."""
        seen = self.shown.seen
        if seen is None:
            return visible(self.lengths, self.width, self.side)
        return self.pad(seen, 0, self.width)

    def sample_keys(self) -> IntArray:
        """The bits of the samples' keys, one each."""
        return self.shown.given.tokens.keys.view(np.int64).copy()

    def layers(self) -> Arrays:
        """What the strategy tells of its inputs and the model takes."""
        taken = {n: v for n, v in self.masked.annotations.items() if n != ORDER and self._takes(n)}
        return {name: self._layer(name, values) for name, values in taken.items()}

    def _takes(self, name: str) -> bool:
        return self.model is None or self.model.accepts(name)

    def _layer(self, name: str, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        fill = ABSENT.get(name, 0)
        array = self.pad(self.shown.rows(values, fill), fill, self.width)
        if name == "position_ids" and self.model is not None:
            array += self.model.first_position
        return array

    def predictions(self) -> Arrays:
        """The labels or targets of the strategy, and what goes with them."""
        if self.masked.targets is not None:
            return self._targets(self.masked.targets)
        if self.masked.labels is None:
            return {}
        labels = self.labels(self.masked.labels.values)
        arrays: Arrays = {"labels": labels}
        if self.masked.weights is not None:
            weights = self.shown.rows(self.masked.weights, 0)
            arrays["loss_weights"] = self.pad(weights, 0, self.width)
        if self.masked.divisors is not None:
            arrays["loss_divisors"] = self.per_sample(self.masked.divisors)
        return self._in_order(arrays) if ORDER in self.masked.annotations else arrays

    def per_sample(self, values: IntArray) -> IntArray:
        """One number for each sample: int64, of shape (samples,)."""
        return values.copy()

    def labels(self, values: IntArray) -> IntArray:
        """Labels in place, one for each masked input; -100 where nothing is predicted."""
        hidden = self.shown.given.hidden
        padded = self.pad(self.shown.rows(values, IGNORE), IGNORE, self.width)
        if hidden is not None:  # a target that predicts every input knows nothing of hidden ones
            padded[self.attention_mask() == 0] = IGNORE
        return padded

    def own_labels(self, values: IntArray) -> IntArray:
        """The features' labels, one for each of their tokens, at the places of these."""
        return self.pad(self.shown.followed(values, "labels", IGNORE), IGNORE, self.width)

    def _in_order(self, arrays: Arrays) -> Arrays:
        """XLNet's form: who may not see whom, and one label for each predicted token."""
        labels = arrays["labels"]
        order = np.where(labels == IGNORE, -1, self._layer(ORDER, self.masked.annotations[ORDER]))
        unseen = perm_mask(order, np.float32)
        # Padding hides itself even from a model that is given no attention mask.
        rows, columns = np.nonzero(self.attention_mask() == 0)
        unseen[rows, :, columns] = 1
        mapping = _at_least_one(target_mapping(order, np.float32), 0)
        made: Arrays = {"perm_mask": unseen, "target_mapping": mapping}
        made["labels"] = _at_least_one(target_labels(order, labels), IGNORE)
        if "loss_weights" in arrays:
            made["loss_weights"] = np.einsum("bpl,bl->bp", mapping, arrays["loss_weights"])
        if "loss_divisors" in arrays:
            made["loss_divisors"] = arrays["loss_divisors"]
        return made

    def _targets(self, targets: Ragged) -> Arrays:
        arrays: Arrays = {"labels": self.pad(targets, IGNORE)}
        for layer, values in self.masked.target_annotations.items():
            name = layer if layer.startswith("decoder_") else f"decoder_{layer}"
            if self._takes(name):
                fill = self.pad_id if name == "decoder_input_ids" else ABSENT.get(layer, 0)
                arrays[name] = self.pad(Ragged(values, targets.offsets), fill)
        return arrays


def _at_least_one(predictions: np.ndarray[Any, Any], fill: int) -> np.ndarray[Any, Any]:
    """Predictions of shape (samples, predicted, …); one that is padding where there are none."""
    if predictions.shape[1]:
        return predictions
    return np.full((len(predictions), 1, *predictions.shape[2:]), fill, predictions.dtype)


def untaken(masked: Masked, model: ModelFacts) -> list[str]:
    """The layers of a strategy for which a model has no argument, by their names in the batch."""
    names = [name for name in masked.annotations if name != ORDER]
    names += [n if n.startswith("decoder_") else f"decoder_{n}" for n in masked.target_annotations]
    return [name for name in names if not model.accepts(name)]
