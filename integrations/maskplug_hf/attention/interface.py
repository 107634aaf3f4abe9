"""The mask and attention functions of patterns, registered with transformers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cache
from typing import Any

import torch
from torch._dynamo import config as dynamo
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.flex_attention import flex_attention_forward
from transformers.masking_utils import causal_mask_function, eager_mask, sdpa_mask

from maskplug.errors import OptionError
from maskplug_hf.attention.mask_metadata import RUNNING, MaskMetadata, metadata_of
from maskplug_hf.attention.masks import MaskRequest, combined_mask
from maskplug_hf.attention.model_mask import model_mask
from maskplug_hf.attention.modules import ATTRIBUTE, INTERFACE, interface_method, shared_layers

#: The registered name of each backend. transformers searches names for "flash", "flex" and "sdpa".
NAMES = {"sdpa": "maskplug", "eager": "maskplug_plain", "flex": "maskplug_blocks"}
#: Up to this number of cells, flex attention is not compiled on the CPU.
MAX_EAGER_CELLS = 1 << 20


def register() -> None:
    """Register the names in both interfaces; without a mask function, no masks are made."""
    for backend, delegate in (("sdpa", sdpa_mask), ("eager", eager_mask)):
        AttentionMaskInterface.register(NAMES[backend], _mask_function(delegate))
        AttentionInterface.register(NAMES[backend], _attention_function(backend))
    AttentionMaskInterface.register(NAMES["flex"], _flex_mask)
    AttentionInterface.register(NAMES["flex"], _flex_attention)


def _mask_function(delegate: Callable[..., Any]) -> Callable[..., Any]:
    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def mask(**arguments: Any) -> Any:
        """Return the mask of transformers' own function, with the metadata that patterns need."""
        arguments |= {"allow_is_causal_skip": False, "allow_is_bidirectional_skip": False}
        result = delegate(**arguments)
        metadata = MaskMetadata.of_request(arguments)
        if metadata.forward is None:
            # generate makes the mask contiguous, and a copy would lose its metadata.
            result = result.contiguous()
        metadata.attach(result)
        return result

    function: Callable[..., Any] = mask
    return function


def _attention_function(backend: str) -> Callable[..., Any]:
    def attention(
        module: Any, query: Any, key: Any, value: Any, attention_mask: Any = None, **options: Any
    ) -> Any:
        """Compute attention as transformers does, with the mask of the pattern."""
        compute, mask = _prepare(module, backend, attention_mask, query.shape[1])
        return compute(module, query, key, value, mask, **options)

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
def _flex_mask(mask_function: Any = causal_mask_function, **arguments: Any) -> MaskMetadata:
    """Return metadata with the model's own mask as intervals.

    Raises:
        OptionError: outside of a forward pass, as for a static cache.
    """
    metadata = MaskMetadata.of_request(arguments)
    forward = metadata.forward
    if forward is None:
        raise OptionError(
            "a mask was requested before the forward pass, as generate does for a static cache; "
            "backend='flex' does not support this: use another cache, or backend='sdpa'"
        )
    metadata.model_mask = model_mask(mask_function, metadata, forward.position_ids, arguments)
    return metadata


def _flex_attention(
    module: Any, query: Any, key: Any, value: Any, attention_mask: Any = None, **options: Any
) -> Any:
    """Compute flex attention as transformers does, with the blocks of the pattern."""
    _check_flex(module, query, options)
    kv_len, device = key.shape[-2], query.device
    mask = _with_pattern(module, attention_mask, query.shape[1], kv_len, device)
    with compile_if_large(query, key):
        return flex_attention_forward(module, query, key, value, mask, **options)


@torch.compiler.disable  # type: ignore[untyped-decorator]
def _check_flex(module: Any, query: Any, options: Mapping[str, Any]) -> None:
    """Raise an OptionError for dropout, a bias per cell, and gradients on the CPU."""
    name = type(module).__name__
    if options.get("dropout"):
        raise OptionError(
            f"{name} uses attention dropout ({options['dropout']}), which flex attention does not "
            "support: set the attention dropout in the config to 0, or use backend='sdpa'"
        )
    if options.get("position_bias") is not None:
        raise OptionError(
            f"{name} adds a bias for every query and key, which is as large as the mask that "
            "backend='flex' avoids: use backend='sdpa'"
        )
    if query.device.type == "cpu" and query.requires_grad and torch.is_grad_enabled():
        raise OptionError(
            f"{name} needs gradients on the CPU, where flex attention has none: use "
            "backend='sdpa' for training, or torch.no_grad() for inference"
        )


def compile_if_large(query: Any, key: Any) -> AbstractContextManager[Any]:
    """Return a context that controls how transformers' flex attention is compiled on the CPU.

    A small mask takes longer to compile than to compute, and decoding changes the length with
    every token. A large one is compiled for its exact length: for dynamic lengths, torch 2.13
    generates invalid C++.
    """
    context: AbstractContextManager[Any] = nullcontext()
    if query.device.type == "cpu" and not torch.compiler.is_compiling():
        if query.shape[-2] * key.shape[-2] <= MAX_EAGER_CELLS:
            context = torch.compiler.set_stance("force_eager")
        else:
            context = dynamo.patch(automatic_dynamic_shapes=False)
    return context


@torch.compiler.disable  # type: ignore[untyped-decorator]
def _with_pattern(module: Any, mask: Any, heads: int, kv_len: int = 0, device: Any = None) -> Any:
    """Return a module's mask combined with its pattern, and call the listeners."""
    role = getattr(module, ATTRIBUTE)
    metadata, forward = metadata_of(mask), RUNNING.get()
    if metadata is None and forward is not None and isinstance(mask, torch.Tensor):
        metadata = forward.only_metadata(mask.shape)
    elif metadata is not None and metadata.forward is not None:
        forward = metadata.forward
    if metadata is not None and forward is not None:
        if (layers := shared_layers(module)) is not None:
            role = replace(role, layer_idx=_count_use(module, metadata, layers))
        request = MaskRequest(role, metadata, forward, heads)
        result = combined_mask(request, mask, kv_len, device)
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
    """Return the layer index of a use of shared modules, by counting uses of the mask."""
    if metadata.uses == layers:
        raise OptionError(
            f"the {layers} layers of {type(module).__name__} share modules, and a module is used "
            "again, so its layer is unknown: disable checkpointing"
        )
    metadata.uses += 1
    return metadata.uses - 1


register()
