"""Find out what a model of transformers takes and predicts."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from maskplug_torch.model_info import DecoderShift, ModelInfo
from transformers.loss.loss_utils import LOSS_MAPPING, ForCausalLMLoss, ForMaskedLMLoss

from maskplug.targets import IGNORE

#: Labels from which a shift can be inferred: ids that no vocabulary has, and padding.
_PROBE = 10**9 + np.arange(8, dtype=np.int64).reshape(2, 4)
_PROBE[1, 2:] = IGNORE


def model_info(model: Any) -> ModelInfo:
    """Return the properties of a model, or of the base model of a peft adapter."""
    model = base_model(model)
    config = getattr(model, "config", None)
    decoder = bool(getattr(config, "is_encoder_decoder", False))
    loss = LOSS_MAPPING.get(getattr(model, "loss_type", None) or "", _default_loss(model))
    return ModelInfo(
        type(model).__name__,
        _known_arguments(model),
        config is not None,
        decoder,
        decoder_shift(model) if decoder else None,
        _embeddings(model),
        _predicts_tokens(model),
        loss is ForCausalLMLoss and not decoder,
        loss is ForMaskedLMLoss and not decoder,
        _first_position(model),
    )


def base_model(model: Any) -> Any:
    """Return the model itself, without a peft adapter around it."""
    return model.get_base_model() if callable(getattr(model, "get_base_model", None)) else model


def arguments(model: Any) -> frozenset[str]:
    """Return the names of all arguments of a model's ``forward``."""
    return frozenset(inspect.signature(base_model(model).forward).parameters)


def _known_arguments(model: Any) -> frozenset[str] | None:
    names = arguments(model) if hasattr(model, "forward") else frozenset()
    return names if "input_ids" in names else None  # a wrapper that forwards everything


def _default_loss(model: Any) -> Any:
    """Return the loss of a model without a ``loss_type``, such as GPT2LMHeadModel."""
    forward = inspect.unwrap(getattr(type(model), "forward", _default_loss))
    return ForCausalLMLoss if "loss_function" in forward.__code__.co_names else None


def _embeddings(model: Any) -> int | None:
    """Return the number of input embeddings; None where ids are hashed, as by CANINE."""
    try:
        table = model.get_input_embeddings()
    except (AttributeError, NotImplementedError):
        return None
    size = getattr(table, "num_embeddings", None)
    if size is None:  # an embedding within an adapter, or of another class
        weight = getattr(table, "weight", None)
        size = len(weight) if isinstance(weight, torch.Tensor) and weight.dim() == 2 else None
    return size if isinstance(size, int) and size > 0 else None


def _predicts_tokens(model: Any) -> bool:
    head = getattr(model, "get_output_embeddings", None)
    return callable(head) and head() is not None


def _first_position(model: Any) -> int:
    """Return the first position id: RoBERTa, for example, counts from the padding id + 1."""
    for module in model.modules() if callable(getattr(model, "modules", None)) else ():
        table = getattr(module, "position_embeddings", None)
        padding = getattr(table, "padding_idx", None)
        if padding is not None:
            return int(padding) + 1
    return 0


def decoder_shift(model: Any) -> DecoderShift | str | None:
    """Find out how a model shifts labels, by letting it shift a few.

    Models of transformers differ: most insert a start id, mBART and similar models the last label.

    Returns:
        The shift; a text, why the model cannot shift; or None where the model has no such
        function, or one that shifts in another way.
    """
    function = _shift_function(model)
    if function is None:
        return None
    try:
        ids = np.asarray(function(torch.from_numpy(_PROBE.copy())))
    except Exception as error:  # of any type, where the config lacks an id
        return " ".join(str(error).split())
    if ids.shape != _PROBE.shape:
        return None
    wraps = ids[0, 0] == _PROBE[0, -1]
    shift = DecoderShift(int(ids[1, -1]), None if wraps else int(ids[0, 0]))
    return shift if np.array_equal(ids, shift(_PROBE)) else None


def _shift_function(model: Any) -> Callable[[torch.Tensor], Any] | None:
    """Return the function with which a model's ``forward`` shifts labels."""
    for name in ("prepare_decoder_input_ids_from_labels", "_shift_right"):
        method = getattr(model, name, None)
        if callable(method):
            return method  # type: ignore[no-any-return]
    # M2M100, Blenderbot and NLLB-MoE shift by a function of their module.
    modules = [sys.modules.get(kind.__module__) for kind in type(model).__mro__]
    shifts = [getattr(module, "shift_tokens_right", None) for module in modules]
    shift = next(filter(inspect.isfunction, shifts), None)
    if shift is None:
        return None
    ids = [model.config.pad_token_id, model.config.decoder_start_token_id]
    return lambda labels: shift(labels, *ids[: len(inspect.signature(shift).parameters) - 1])
