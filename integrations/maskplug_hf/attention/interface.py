"""The names under which transformers finds the mask and attention functions of patterns."""

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
from maskplug_hf.attention import facts as carried
from maskplug_hf.attention.blocks import blocks, check, compiled_as_fits
from maskplug_hf.attention.facts import MaskFacts, Outline
from maskplug_hf.attention.forward import RUNNING
from maskplug_hf.attention.own import own_rule
from maskplug_hf.attention.places import ATTRIBUTE, INTERFACE, Spot, asks, uses
from maskplug_hf.attention.render import masked

#: The registered name of each back end. transformers looks for "flash", "flex" and "sdpa" in names.
NAMES = {"sdpa": "maskplug", "eager": "maskplug_plain", "flex": "maskplug_blocks"}


def register() -> None:
    """Register the names in both interfaces: with one alone, transformers would make no masks."""
    for backend, delegate in (("sdpa", sdpa_mask), ("eager", eager_mask)):
        AttentionMaskInterface.register(NAMES[backend], _mask_function(delegate))
        AttentionInterface.register(NAMES[backend], _attention_function(backend))
    AttentionMaskInterface.register(NAMES["flex"], _outline)
    AttentionInterface.register(NAMES["flex"], _flex_attention)


def _mask_function(delegate: Callable[..., Any]) -> Callable[..., Any]:
    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def mask(
        batch_size: int,
        q_length: int,
        kv_length: int,
        q_offset: Any = 0,
        kv_offset: int = 0,
        attention_mask: Any = None,
        **options: Any,
    ) -> Any:
        """What transformers' own function makes, with the facts that patterns need."""
        options |= {"allow_is_causal_skip": False, "allow_is_bidirectional_skip": False}
        made = delegate(
            batch_size=batch_size,
            q_length=q_length,
            kv_length=kv_length,
            q_offset=q_offset,
            kv_offset=kv_offset,
            attention_mask=attention_mask,
            **options,
        )
        running = RUNNING.get()
        keys, offset = kv_offset + kv_length, int(q_offset)
        facts = MaskFacts(batch_size, q_length, keys, offset, kv_offset, attention_mask, running)
        if running is None:
            made = made.contiguous()  # generate does so too, and would lose the facts on the way
        else:
            running.asked.add(facts)
        carried.write(made, facts)
        return made

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
        """What transformers' own function computes, with the pattern's mask."""
        compute, mask = _prepared(module, backend, attention_mask, query.shape[1])
        return compute(module, query, key, value, mask, *args, **options)

    return attention


@torch.compiler.disable  # type: ignore[untyped-decorator]
def _prepared(module: Any, backend: str, mask: Any, heads: int) -> tuple[Any, Any]:
    """The function that computes a module's attention, and the mask that it is to have."""
    if (spot := getattr(module, ATTRIBUTE, None)) is not None:
        mask = _patterned(spot, module, mask, heads)
    return _compute(module.__class__, backend), mask


@cache
def _compute(kind: Any, backend: str) -> Any:
    """The function of this back end that an attention class would get for itself.

    The eager one stands beside the class in its modelling file, and a few files have an interface
    of their own.
    """
    known = asks(kind).__globals__
    return known[INTERFACE].get_interface(backend, known.get("eager_attention_forward"))


@torch.compiler.disable  # type: ignore[untyped-decorator]
def _outline(
    batch_size: int,
    q_length: int,
    kv_length: int,
    q_offset: Any = 0,
    kv_offset: int = 0,
    attention_mask: Any = None,
    mask_function: Any = causal_mask_function,
    **options: Any,
) -> Outline:
    """All that is known of a mask, without the mask itself.

    Raises:
        OptionError: outside of a forward pass, as for a static cache.
    """
    running = RUNNING.get()
    if running is None:
        raise OptionError(
            "a mask was asked for before the model's pass, as generate does for a static cache; "
            "backend='flex' cannot give it: use another cache, or say backend='sdpa'"
        )
    keys, offset = kv_offset + kv_length, int(q_offset)
    facts = MaskFacts(batch_size, q_length, keys, offset, kv_offset, attention_mask, running)
    running.asked.add(facts)
    return Outline(facts, own_rule(mask_function, facts, running.positions, options))


def _flex_attention(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any = None,
    *args: Any,
    **options: Any,
) -> Any:
    """What transformers' own function computes, with the pattern's blocks."""
    mask = _blocks(module, query, key, attention_mask, options)
    with compiled_as_fits(query, key):
        return flex_attention_forward(module, query, key, value, mask, *args, **options)


@torch.compiler.disable  # type: ignore[untyped-decorator]
def _blocks(module: Any, query: Any, key: Any, mask: Any, options: dict[str, Any]) -> Any:
    check(module, query, options)
    spot = getattr(module, ATTRIBUTE)
    return _patterned(spot, module, mask, query.shape[1], key.shape[-2], query.device)


def _patterned(
    spot: Spot, module: Any, mask: Any, heads: int, keys: int = 0, device: Any = None
) -> Any:
    facts, forward = carried.read(mask), RUNNING.get()
    if facts is None and forward is not None and isinstance(mask, torch.Tensor):
        facts = forward.only_facts(mask.shape)
    elif facts is not None and facts.forward is not None:
        forward = facts.forward
    if facts is not None and forward is not None:
        spot = _counted(spot, module, facts)
        if isinstance(mask, Outline):
            made = blocks(spot, mask, forward, heads, keys, device)
        else:
            made = masked(spot, facts, forward, mask, heads)
        for listener in forward.attention.listeners:
            listener(spot, made)
        return made
    if forward is not None and spot.place not in forward.patterns:
        return mask
    who = f"{type(module).__name__} ({spot.place}, layer {spot.depth})"
    if mask is None:
        raise OptionError(
            f"{who} was given no mask: its model makes masks in a way of its own, or leaves them "
            "out, and no pattern can be added; give the pattern to the other places, or render it "
            "yourself with Pattern.additive"
        )
    raise OptionError(
        f"{who} was given a mask of which nothing is known: it was copied on its way, or made "
        "elsewhere. With gradient checkpointing, say "
        "gradient_checkpointing_kwargs={'use_reentrant': False}; with a mask of your own, leave "
        "the pattern out"
    )


def _counted(spot: Spot, module: Any, facts: MaskFacts) -> Spot:
    """The spot of this use of a module: where layers share one, they are told apart by counting.

    Raises:
        OptionError: when there are more uses than layers.
    """
    layers = uses(module)
    if layers is None:
        return spot
    if facts.used == layers:
        raise OptionError(
            f"the {layers} layers of {type(module).__name__} share modules, and one is used again: "
            "with checkpointing it is unknown which layer a pattern is asked of; do without it"
        )
    facts.used += 1
    return replace(spot, depth=facts.used - 1)


register()
