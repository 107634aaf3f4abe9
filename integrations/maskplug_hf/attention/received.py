"""The masks that a model really received: read where attention is computed, whatever made them."""

from __future__ import annotations

import types
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from transformers import PreTrainedModel

from maskplug.attention import AttentionKind
from maskplug.errors import OptionError
from maskplug.types import BoolArray, readonly
from maskplug_hf.attention.places import Spot, spots
from maskplug_hf.model import base_model

SOFTMAX = (functional.softmax, torch.softmax, torch.Tensor.softmax)
#: How weights are taken out of a softmax that had more columns than there are keys.
SELECTING = (torch.Tensor.__getitem__, torch.Tensor.narrow, torch.narrow)
#: How fairseq and torch call the modules of cross attention.
CROSS = frozenset({"encoder_attn", "multihead_attn"})


@dataclass(frozen=True, eq=False)
class Received:
    """What one use of attention let through in one forward.

    Attributes:
        module: the dotted name, in the model, of the module that computed it.
        place: "encoder" or "decoder" (self-attention), or "cross"; outside of transformers as far
            as the module's name tells.
        depth: the number of its layer, from 0; None where nothing tells it.
        mask: bool of shape (batch, heads, queries, keys), True = could attend. A head axis of 1
            stands for all heads.
    """

    module: str
    place: AttentionKind
    depth: int | None
    mask: BoolArray

    def __repr__(self) -> str:
        layer = "" if self.depth is None else f" {self.depth}"
        shape = "×".join(map(str, self.mask.shape))
        return f"<Received {self.place}{layer} {self.module!r} {shape}>"


def received(model: torch.nn.Module, *args: Any, **batch: Any) -> list[Received]:
    """Run a model once and tell which keys each query could attend to, in order of computation.

    Nothing in the model is replaced: a mask is read from the arguments of torch's
    ``scaled_dot_product_attention``, or from the scores that a ``softmax`` is given, and hooks tell
    which module is running. The model stays in the mode that it is in (``model.eval()``), and no
    random generator is advanced. It may come from transformers, from fairseq, or be any other.

    Args:
        model: not compiled, with attention of the "sdpa" or "eager" kind.
        args, batch: its arguments.

    Returns:
        One record for each use of attention. A score counts as hidden at -5e7 or less, in half
        precision at -5e3 or less (fairseq adds -1e8 and -1e4): such a key has no weight. Columns
        that stand for no token are left out: attention sinks, whose weights the model drops, and
        the biases that torch's and fairseq's attention can add to the keys.

    Raises:
        OptionError: when no attention was seen, as with kernels of flash or flex attention.
    """
    inner = base_model(model)
    known = dict(spots(inner)) if isinstance(inner, PreTrainedModel) else {}
    watch = _Watch(known)
    with ExitStack() as stack:
        for name, module in model.named_modules():
            for hook in watch.hooks(name, module):
                stack.callback(hook.remove)
        devices = {p.device.index for p in model.parameters() if p.device.type == "cuda"}
        stack.enter_context(torch.random.fork_rng(sorted(devices)))
        stack.enter_context(torch.no_grad())
        stack.enter_context(watch)
        model(*args, **batch)
    if not watch.seen:
        raise OptionError(
            f"{type(model).__name__} was run, and no attention was seen: flash and flex attention "
            'compute theirs where nothing can be read; model.set_attn_implementation("sdpa") or '
            '"eager" lets it be seen'
        )
    return watch.seen


class _Watch(TorchFunctionMode):
    """Sees every function of torch on its way, and notes the masks of attention."""

    def __init__(self, known: dict[Any, Spot]) -> None:
        super().__init__()
        self.known = known
        self.seen: list[Received] = []
        self._running: list[tuple[str, torch.nn.Module]] = []
        self._weights: Any = None  # of the softmax that gave the last record

    def hooks(self, name: str, module: torch.nn.Module) -> list[Any]:
        """Hooks that tell when this module runs."""

        def enter(*_: Any) -> None:
            self._running.append((name, module))

        def leave(*_: Any) -> None:
            self._running.pop()

        return [
            module.register_forward_pre_hook(enter),
            module.register_forward_hook(leave, always_call=True),
        ]

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is functional.multi_head_attention_forward:
            with self:
                return _body(func)(*args, **kwargs)
        if func is functional.scaled_dot_product_attention:
            self._note(_of_arguments(*args, **kwargs))
        noted = func in SOFTMAX and self._note(_of_scores(*args, **kwargs))
        out = func(*args, **kwargs)
        if noted:
            self._weights = out
        elif self._weights is not None and args and args[0] is self._weights:
            self._follow(func, args[1:], kwargs, out)
        return out

    def _follow(self, func: Any, args: Any, kwargs: Any, out: Any) -> None:
        """Leave the columns out that a model drops from its weights."""
        before = self._weights
        if not isinstance(out, torch.Tensor) or out.shape[:-1] != before.shape[:-1]:
            return
        if out.shape == before.shape:  # dropout, another dtype
            self._weights = out
        elif func in SELECTING:
            columns = torch.arange(before.shape[-1]).expand(before.shape)
            kept = func(columns, *args, **kwargs).reshape(-1, out.shape[-1])[0].numpy()
            last = self.seen[-1]
            self.seen[-1] = replace(last, mask=readonly(last.mask[..., kept], np.bool_))
            self._weights = None

    def _note(self, seen: torch.Tensor | None) -> bool:
        """Add a record for a mask, (batch, heads, queries, keys) or (batch · heads, …)."""
        self._weights = None
        if seen is None or not self._running:
            return False
        name, module = self._running[-1]
        if seen.ndim == 3:
            heads = getattr(module, "num_heads", None)
            if not isinstance(heads, int) or len(seen) % heads:
                return False  # a softmax over a vocabulary, for example
            seen = seen.reshape(-1, heads, *seen.shape[1:])
        biases = (getattr(module, "bias_k", None) is not None) + bool(
            getattr(module, "add_zero_attn", False)
        )
        seen = seen[..., : seen.shape[-1] - biases]
        spot = self.known.get(module)
        place, depth = _of_name(name) if spot is None else (spot.place, spot.depth)
        mask = _one_head(_one_query(seen, module)).cpu().numpy()
        self.seen.append(Received(name, place, depth, readonly(mask, np.bool_)))
        return True


@cache
def _body(func: Any) -> Any:
    """A function of torch that asks for overrides, as one that does not: what it calls is seen."""
    names = {**func.__globals__, "has_torch_function": lambda _: False}
    return types.FunctionType(
        func.__code__, names, func.__name__, func.__defaults__, func.__closure__
    )


def _of_arguments(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    **rest: Any,
) -> torch.Tensor:
    """The mask of torch's ``scaled_dot_product_attention``."""
    shape = (*query.shape[:-1], key.shape[-2])
    if attn_mask is None:
        seen = torch.ones(shape[-2:], dtype=torch.bool)
        seen = seen.tril() if is_causal else seen  # torch counts from the upper left corner
    else:
        seen = attn_mask if attn_mask.dtype == torch.bool else ~_hidden(attn_mask)
    return seen.expand(shape)


def _of_scores(
    input: torch.Tensor, dim: int | None = None, *rest: Any, **more: Any
) -> torch.Tensor | None:
    """The mask of scores that are to be weights, if their shape is one of attention."""
    if input.ndim not in (3, 4) or dim not in (-1, input.ndim - 1):
        return None
    return ~_hidden(input)


def _hidden(scores: torch.Tensor) -> torch.Tensor:
    return scores <= (-5e7 if scores.element_size() > 2 else -5e3)


def _one_query(seen: torch.Tensor, module: torch.nn.Module) -> torch.Tensor:
    """Undo what transformers does to a single query whose heads share keys: heads as queries."""
    groups = getattr(module, "num_key_value_groups", 1)
    heads = getattr(getattr(module, "config", None), "num_attention_heads", None)
    if groups > 1 and seen.shape[2] == groups and seen.shape[1] * groups == heads:
        return seen.flatten(1, 2)[:, :, None]
    return seen


def _one_head(seen: torch.Tensor) -> torch.Tensor:
    same = seen.stride(1) == 0 or bool((seen == seen[:, :1]).all())
    return seen[:, :1] if same else seen


def _of_name(name: str) -> tuple[AttentionKind, int | None]:
    """Place and depth as the modules of fairseq and of torch itself are called."""
    parts = name.split(".")
    depth = next((int(part) for part in parts if part.isdigit()), None)
    if CROSS.intersection(parts):
        return "cross", depth
    return "decoder" if "decoder" in parts else "encoder", depth
