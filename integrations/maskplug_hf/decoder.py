"""What a decoder reads: the labels, one place to the right."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from maskplug.errors import OptionError
from maskplug.targets import IGNORE
from maskplug.types import IntArray

if TYPE_CHECKING:
    from maskplug_hf.model import ModelFacts
    from maskplug_hf.outputs import Arrays

#: Labels from which a shift can be read: ids that no vocabulary has, and padding.
_PROBE = 10**9 + np.arange(8, dtype=np.int64).reshape(2, 4)
_PROBE[1, 2:] = IGNORE


@dataclass(frozen=True)
class Shift:
    """How a model turns labels into the inputs of its decoder; small, and without its weights.

    Attributes:
        pad: the id that stands in for -100.
        start: the id before the first label; None: the last label that is no padding (mBART).

    Example:
        >>> labels = np.array([[5, 6, 3], [7, 3, -100]])
        >>> Shift(pad=1, start=2).of(labels).tolist()
        [[2, 5, 6], [2, 7, 3]]
        >>> Shift(pad=1, start=None).of(labels).tolist()
        [[3, 5, 6], [3, 7, 3]]
    """

    pad: int
    start: int | None

    def of(self, labels: IntArray) -> IntArray:
        """The decoder's inputs: int64 of the shape (samples, width) of ``labels``."""
        ids = np.where(labels == IGNORE, self.pad, labels)
        shifted = np.empty_like(ids)
        shifted[:, 1:] = ids[:, :-1]
        if self.start is not None:
            shifted[:, 0] = self.start
        elif ids.shape[1]:  # a row without labels begins with padding: its last id, at -1
            shifted[:, 0] = ids[np.arange(len(ids)), (ids != self.pad).sum(1) - 1]
        return shifted


def shift_of(model: Any) -> Shift | str | None:
    """Read from a model how it shifts its labels, by letting it shift a few.

    Models of transformers differ: most put a start id first, mBART and its like the last label.

    Returns:
        The shift; why the model cannot make it, in words; or None where the model has no such
        function, or one that shifts in another way.
    """
    function = _function(model)
    if function is None:
        return None
    try:
        ids = np.asarray(function(torch.from_numpy(_PROBE.copy())))
    except Exception as error:  # of any type: an id that the config lacks is not always noticed
        return " ".join(str(error).split())
    if ids.shape != _PROBE.shape:
        return None
    wraps = ids[0, 0] == _PROBE[0, -1]
    shift = Shift(int(ids[1, -1]), None if wraps else int(ids[0, 0]))
    return shift if np.array_equal(ids, shift.of(_PROBE)) else None


def _function(model: Any) -> Callable[[torch.Tensor], Any] | None:
    """The function with which a model's ``forward`` shifts labels."""
    for name in ("prepare_decoder_input_ids_from_labels", "_shift_right"):
        method = getattr(model, name, None)
        if callable(method):
            return method  # type: ignore[no-any-return]
    # M2M100, Blenderbot and NLLB-MoE shift by a function beside their classes.
    modules = [sys.modules.get(kind.__module__) for kind in type(model).__mro__]
    shifts = [getattr(module, "shift_tokens_right", None) for module in modules]
    shift = next(filter(inspect.isfunction, shifts), None)
    if shift is None:
        return None
    ids = [model.config.pad_token_id, model.config.decoder_start_token_id]
    return lambda labels: shift(labels, *ids[: len(inspect.signature(shift).parameters) - 1])


def decoded(arrays: Arrays, model: ModelFacts | None) -> Arrays:
    """A batch with what the decoder reads, made of its labels as the model makes it.

    Raises:
        OptionError: when the model's config lacks the ids for it.
    """
    shift = None if model is None else model.shift
    if model is None or shift is None or "decoder_input_ids" in arrays:
        return arrays
    if isinstance(shift, str):
        raise OptionError(
            f"{model.name} cannot make decoder_input_ids of labels ({shift}): set "
            "model.config.decoder_start_token_id and model.config.pad_token_id before the collator "
            "is given the model"
        )
    return {**arrays, "decoder_input_ids": shift.of(arrays["labels"])}
