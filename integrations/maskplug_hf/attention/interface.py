"""The mask and attention functions of patterns, registered with transformers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.flex_attention import flex_attention_forward
from transformers.masking_utils import causal_mask_function, eager_mask, sdpa_mask

from maskplug.errors import OptionError
from maskplug_hf.attention.flex import check_flex, combined_blocks, compile_if_large
from maskplug_hf.attention.forward import RUNNING
from maskplug_hf.attention.mask_metadata import (
    LazyMask,
    MaskMetadata,
    attach_metadata,
    metadata_of,
    only_metadata,
)
from maskplug_hf.attention.masks import MaskCall, combined_mask
from maskplug_hf.attention.model_mask import model_mask
from maskplug_hf.attention.modules import ATTRIBUTE, INTERFACE, interface_method, shared_layers

#: The registered name of each backend. transformers searches names for "flash", "flex" and "sdpa".
NAMES = {"sdpa": "maskplug", "eager": "maskplug_plain", "flex": "maskplug_blocks"}


def register() -> None:
    """Register the names in both interfaces; without a mask function, no masks are made."""
    for backend, delegate in (("sdpa", sdpa_mask), ("eager", eager_mask)):
        AttentionMaskInterface.register(NAMES[backend], _mask_function(delegate))
        AttentionInterface.register(NAMES[backend], _attention_function(backend))
    AttentionMaskInterface.register(NAMES["flex"], _lazy_mask)
    AttentionInterface.register(NAMES["flex"], _flex_attention)


def _mask_function(delegate: Callable[..., Any]) -> Callable[..., Any]:
    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def mask(**request: Any) -> Any:
        """Return the mask of transformers' own function, with the metadata that patterns need."""
        request |= {"allow_is_causal_skip": False, "allow_is_bidirectional_skip": False}
        result = delegate(**request)
        metadata = MaskMetadata.of_request(**request)
        if metadata.forward is None:
            # generate makes the mask contiguous, and a copy would lose its metadata.
            result = result.contiguous()
        attach_metadata(result, metadata)
        return result

    function: Callable[..., Any] = mask
    return function


def _attention_function(backend: str) -> Callable[..., Any]:
    def attention(
        module: Any,
        query: Any,
        key: Any,
        value: Any,
        attention_mask: Any = None,
        *args: Any,
        **options: Any,
    ) -> Any:
        """Compute attention as transformers does, with the mask of the pattern."""
        compute, mask = _prepare(module, backend, attention_mask, query.shape[1])
        return compute(module, query, key, value, mask, *args, **options)

    return attention


@torch.compiler.disable  # type: ignore[untyped-decorator]
def _prepare(module: Any, backend: str, mask: Any, heads: int) -> tuple[Any, Any]:
    if hasattr(module, ATTRIBUTE):
        mask = _with_pattern(module, mask, heads)
    return _attention_of(module.__class__, backend), mask


@cache
def _attention_of(module_class: Any, backend: str) -> Any:
    """Return the attention function that a module would look up for this backend.

    The eager function is defined in the module's modeling file, and some files have their own
    interface.
    """
    names = interface_method(module_class).__globals__
    return names[INTERFACE].get_interface(backend, names.get("eager_attention_forward"))


@torch.compiler.disable  # type: ignore[untyped-decorator]
def _lazy_mask(mask_function: Any = causal_mask_function, **request: Any) -> LazyMask:
    """Return the model's own mask as intervals, with its metadata.

    Raises:
        OptionError: outside of a forward pass, as for a static cache.
    """
    metadata = MaskMetadata.of_request(**request)
    forward = metadata.forward
    if forward is None:
        raise OptionError(
            "a mask was requested before the forward pass, as generate does for a static cache; "
            "backend='flex' does not support this: use another cache, or backend='sdpa'"
        )
    return LazyMask(metadata, model_mask(mask_function, metadata, forward.position_ids, request))


def _flex_attention(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any = None,
    *args: Any,
    **options: Any,
) -> Any:
    """Compute flex attention as transformers does, with the blocks of the pattern."""
    mask = _blocks(module, query, key, attention_mask, options)
    with compile_if_large(query, key):
        return flex_attention_forward(module, query, key, value, mask, *args, **options)


@torch.compiler.disable  # type: ignore[untyped-decorator]
def _blocks(module: Any, query: Any, key: Any, mask: Any, options: dict[str, Any]) -> Any:
    check_flex(module, query, options)
    return _with_pattern(module, mask, query.shape[1], key.shape[-2], query.device)


def _with_pattern(module: Any, mask: Any, heads: int, kv_len: int = 0, device: Any = None) -> Any:
    """Return a module's mask combined with its pattern, and call the listeners."""
    role = getattr(module, ATTRIBUTE)
    metadata, forward = metadata_of(mask), RUNNING.get()
    if metadata is None and forward is not None and isinstance(mask, torch.Tensor):
        metadata = only_metadata(forward, mask.shape)
    elif metadata is not None and metadata.forward is not None:
        forward = metadata.forward
    if metadata is not None and forward is not None:
        layers = shared_layers(module)
        if layers is not None:
            role = replace(role, layer_idx=_count_use(module, metadata, layers))
        call = MaskCall(role, metadata, forward, heads)
        if isinstance(mask, LazyMask):
            result = combined_blocks(call, mask, kv_len, device)
        else:
            result = combined_mask(call, mask)
        for listener in forward.settings.listeners:
            listener(role, result)
        return result
    if forward is not None and role.attention_kind not in forward.patterns:
        return mask
    name = f"{type(module).__name__} ({role.attention_kind}, layer {role.layer_idx})"
    if mask is None:
        raise OptionError(
            f"{name} got no mask: its model omits masks or makes them without transformers' mask "
            "functions, so no pattern can be added. Set patterns for the other attention kinds "
            "only, or render the pattern with Pattern.additive"
        )
    raise OptionError(
        f"{name} got a mask without metadata: it was copied in the model, or made elsewhere. With "
        "gradient checkpointing, set gradient_checkpointing_kwargs={'use_reentrant': False}; with "
        "a mask of your own, do not set a pattern"
    )


def _count_use(module: Any, metadata: MaskMetadata, layers: int) -> int:
    """Return the layer index of a use of shared modules, by counting uses of the mask.

    Raises:
        OptionError: when there are more uses than layers.
    """
    if metadata.uses == layers:
        raise OptionError(
            f"the {layers} layers of {type(module).__name__} share modules, and a module is used "
            "again, so its layer is unknown: disable checkpointing"
        )
    metadata.uses += 1
    return metadata.uses - 1


register()
