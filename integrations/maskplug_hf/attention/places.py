"""Where a model attends: its attention modules, and which site of a pattern each of them is."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from maskplug.attention import AttentionKind

#: The attribute of an attention module that says where it stands.
ATTRIBUTE = "_maskplug_spot"
#: What transformers' modelling files call the interface that they attend through.
INTERFACE = "ALL_ATTENTION_FUNCTIONS"

CROSS = re.compile(r"cross|encdec|encoder_attn|encoder_attention|encoder_decoder_attention", re.I)
STACK = re.compile(r"(encoder|decoder)$")


@dataclass(frozen=True)
class Spot:
    """An attention module's place in its model.

    Attributes:
        place: the site's.
        depth: the number of the layer, from 0, in its own stack.
    """

    place: AttentionKind
    depth: int


@cache
def asks(kind: Any) -> Any:
    """The method of an attention class that asks transformers' AttentionInterface, or None."""
    for base in kind.__mro__:
        for method in vars(base).values():
            function = inspect.unwrap(method) if callable(method) else None
            code = getattr(function, "__code__", None)
            if code is not None and {INTERFACE, "get_interface"} <= {*code.co_names}:
                return function
    return None


def spots(model: Any) -> Iterator[tuple[Any, Spot]]:
    """Every attention module that asks the interface, with its spot."""
    numbers: dict[AttentionKind, int] = {}
    for name, module in model.named_modules():
        if asks(module.__class__) is None:
            continue
        place = _place(name, module, model)
        number = numbers.get(place, 0)
        numbers[place] = number + 1
        depth = getattr(module, "layer_idx", None)
        yield module, Spot(place, depth if isinstance(depth, int) else number)


def uses(module: Any) -> int | None:
    """How many layers of a pass there are, if they share modules (ALBERT's do); else None."""
    config: Any = getattr(module, "config", None)
    if not hasattr(config, "num_hidden_groups"):
        return None
    return int(config.num_hidden_layers * config.inner_group_num)


def _place(name: str, module: Any, model: Any) -> AttentionKind:
    # Nothing but names tells cross attention apart: BART has one class for all three places.
    if CROSS.search(name.rpartition("layer")[2]) or "CrossAttention" in type(module).__name__:
        return "cross"
    if getattr(model.config, "is_encoder_decoder", False):
        for part in name.split("."):
            if found := STACK.search(part):
                return "encoder" if found[1] == "encoder" else "decoder"
    config = getattr(module, "config", model.config)
    if not getattr(config, "is_causal", True):  # transformers' switch for decoders as encoders
        return "encoder"
    causal = getattr(module, "is_causal", getattr(config, "is_decoder", False))
    return "decoder" if causal else "encoder"
