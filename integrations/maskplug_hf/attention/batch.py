"""What is read from a model's inputs, and taken out of them, before its forward pass."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from functools import cache
from typing import Any

import numpy as np
import torch

from maskplug.errors import OptionError
from maskplug_hf.attention import facts as carried

MASKS = ("attention_mask", "decoder_attention_mask", "encoder_attention_mask")


@cache
def _arguments(kind: Any) -> tuple[str, ...]:
    return tuple(inspect.signature(kind.forward).parameters)[1:]


def _named(module: Any, args: tuple[Any, ...], given: dict[str, Any]) -> dict[str, Any]:
    return {**dict(zip(_arguments(module.__class__), args, strict=False)), **given}


def taken(
    module: Any, args: tuple[Any, ...], given: dict[str, Any], names: Collection[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The columns of these names as numpy arrays, and the inputs without them.

    A column that the model itself takes stays among its inputs.

    Raises:
        OptionError: for a mask of four dimensions, which would take the pattern's place.
    """
    everything = _named(module, args, given)
    for name in MASKS:
        _check(name, everything.get(name))
    found = {name: everything[name] for name in sorted(names) if everything.get(name) is not None}
    own = _arguments(module.__class__)
    rest = {name: value for name, value in given.items() if name not in names or name in own}
    return {name: as_numpy(value) for name, value in found.items()}, rest


def _check(name: str, mask: Any) -> None:
    for one in mask.values() if isinstance(mask, dict) else (mask,):
        if one is None or getattr(one, "ndim", 2) == 2 or carried.read(one) is not None:
            continue
        raise OptionError(
            f"{name!r} is a {type(one).__name__} of {one.ndim} dimensions, which transformers "
            "would use in place of any pattern: give the mask of two dimensions (batch, tokens), 1 "
            "= real token, and say the rest by the pattern; or remove() the pattern first"
        )


def positions(module: Any, args: tuple[Any, ...], given: dict[str, Any]) -> Any:
    """The position ids, if they are of shape (batch or 1, tokens): int64, or None."""
    value = _named(module, args, given).get("position_ids")
    return as_numpy(value) if getattr(value, "ndim", 0) == 2 else None


def with_cross_mask(
    module: Any, args: tuple[Any, ...], given: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The inputs with a mask for cross attention: without one, BERT asks for none."""
    name = "encoder_attention_mask"
    arguments = _arguments(module.__class__)
    everything = _named(module, args, given)
    states = everything.get("encoder_hidden_states")
    if name not in arguments or states is None or everything.get(name) is not None:
        return args, given
    ones = torch.ones(states.shape[:2], dtype=torch.long, device=states.device)
    at = arguments.index(name)
    if at < len(args):
        return (*args[:at], ones, *args[at + 1 :]), given
    return args, {**given, name: ones}


def as_numpy(value: Any) -> Any:
    """A tensor, array or list as a numpy array; a list of lists of different lengths as it is."""
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().numpy()
    try:
        return np.asarray(value)
    except ValueError:
        return value
