"""Find a model's attention modules, with the attention kind and layer index of each."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from maskplug.attention import AttentionKind

#: Attribute of an attention module that holds its ``AttentionModule``.
ATTRIBUTE = "_maskplug_attention_module"
#: Name of the attention interface in transformers' modeling files.
INTERFACE = "ALL_ATTENTION_FUNCTIONS"

CROSS = re.compile(r"cross|encdec|encoder_attn|encoder_attention|encoder_decoder_attention", re.I)
STACK = re.compile(r"(encoder|decoder)$")


@dataclass(frozen=True)
class AttentionModule:
    """The role of an attention module in its model.

    Attributes:
        attention_kind: "encoder" or "decoder" (self-attention), or "cross".
        layer_idx: index of the layer in its stack, from 0.
    """

    attention_kind: AttentionKind
    layer_idx: int


@cache
def interface_method(module_class: Any) -> Any:
    """Return the method of a class that looks up transformers' AttentionInterface, or None."""
    for base in module_class.__mro__:
        for method in vars(base).values():
            function = inspect.unwrap(method) if callable(method) else None
            code = getattr(function, "__code__", None)
            if code is not None and {INTERFACE, "get_interface"} <= {*code.co_names}:
                return function
    return None


def attention_modules(model: Any) -> Iterator[tuple[Any, AttentionModule]]:
    """Yield every module that looks up the AttentionInterface, with its role."""
    counts: dict[AttentionKind, int] = {}
    for name, module in model.named_modules():
        if interface_method(module.__class__) is None:
            continue
        kind = _attention_kind(name, module, model)
        count = counts.get(kind, 0)
        counts[kind] = count + 1
        layer_idx = getattr(module, "layer_idx", None)
        yield module, AttentionModule(kind, layer_idx if isinstance(layer_idx, int) else count)


def shared_layers(module: Any) -> int | None:
    """Return the number of layers of a model whose layers share modules (ALBERT), else None."""
    config: Any = getattr(module, "config", None)
    if not hasattr(config, "num_hidden_groups"):
        return None
    return int(config.num_hidden_layers * config.inner_group_num)


def _attention_kind(name: str, module: Any, model: Any) -> AttentionKind:
    # Only names identify cross-attention: BART uses one class for all three kinds.
    if CROSS.search(name.rpartition("layer")[2]) or "CrossAttention" in type(module).__name__:
        return "cross"
    if getattr(model.config, "is_encoder_decoder", False):
        for part in name.split("."):
            if match := STACK.search(part):
                return "encoder" if match[1] == "encoder" else "decoder"
    config = getattr(module, "config", model.config)
    if not getattr(config, "is_causal", True):  # transformers' option to use a decoder as encoder
        return "encoder"
    causal = getattr(module, "is_causal", getattr(config, "is_decoder", False))
    return "decoder" if causal else "encoder"
