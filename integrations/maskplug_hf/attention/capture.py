"""Capture the masks that a model receives, and compare them with the requested ones."""

from __future__ import annotations

import types
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.overrides import TorchFunctionMode
from transformers import PreTrainedModel

from maskplug.attention import AttentionKind
from maskplug.errors import OptionError
from maskplug.types import BoolArray, IntArray, readonly
from maskplug_hf.attention.modules import attention_modules
from maskplug_hf.model import base_model

SOFTMAX = (functional.softmax, torch.softmax, torch.Tensor.softmax)
#: Functions by which models select columns of the weights, to drop attention sinks.
SELECTING = (torch.Tensor.__getitem__, torch.Tensor.narrow, torch.narrow)
#: Names of cross-attention modules in fairseq and torch.
CROSS = frozenset({"encoder_attn", "multihead_attn"})


@dataclass(frozen=True, eq=False)
class Received:
    """The mask of one use of attention in a forward pass.

    Attributes:
        module: the dotted name of the module that computed it.
        attention_kind: "encoder" or "decoder" (self-attention), or "cross"; outside of
            transformers derived from the module's name.
        layer_idx: index of the layer, from 0; None where it is unknown.
        mask: bool of shape (batch, heads, q_len, kv_len), True = may attend. A head axis of length
            1 stands for all heads.
    """

    module: str
    attention_kind: AttentionKind
    layer_idx: int | None
    mask: BoolArray

    def __repr__(self) -> str:
        layer = "" if self.layer_idx is None else f" {self.layer_idx}"
        shape = "×".join(map(str, self.mask.shape))
        return f"<Received {self.attention_kind}{layer} {self.module!r} {shape}>"


def received(model: torch.nn.Module, *args: Any, **batch: Any) -> list[Received]:
    """Run a model once and return the mask of every use of attention, in order of computation.

    The model is not changed: masks are read from the arguments of torch's
    ``scaled_dot_product_attention``, or from the scores passed to a ``softmax``. The model's mode
    stays as it is (call ``model.eval()`` first), and no random generator is advanced. The model may
    come from transformers, fairseq, or any other code.

    Args:
        model: not compiled, with attention of the "sdpa" or "eager" kind.
        args, batch: its arguments.

    Returns:
        One record per use of attention. A key counts as hidden for a score of -5e7 or less, in half
        precision -5e3 or less (fairseq adds -1e8 and -1e4): its weight is zero. Columns that are
        not tokens are left out: attention sinks, whose weights the model drops, and the biases that
        attention in torch and fairseq can add to the keys.

    Raises:
        OptionError: when no attention was found, as with flash or flex attention.
    """
    with ExitStack() as stack:
        capture = _Capture(model)
        pre_hook = register_module_forward_pre_hook(capture.enter)
        stack.callback(pre_hook.remove)
        hook = register_module_forward_hook(capture.leave, always_call=True)
        stack.callback(hook.remove)
        devices = {p.device.index for p in model.parameters() if p.device.type == "cuda"}
        stack.enter_context(torch.random.fork_rng(sorted(devices)))
        stack.enter_context(torch.no_grad())
        stack.enter_context(capture)
        model(*args, **batch)
    if not capture.records:
        raise OptionError(
            f"no attention was found in {type(model).__name__}: flash and flex attention cannot be "
            'read; use model.set_attn_implementation("sdpa") or "eager"'
        )
    return capture.records


@dataclass(frozen=True, eq=False)
class Difference:
    """The cells in which two masks differ; false if there are none.

    Attributes:
        leaks: int64 of shape (cells, 4), sorted: sample, head, query and key of each visible cell
            that was not requested.
        lost: the same for each requested cell that is not visible.
    """

    leaks: IntArray
    lost: IntArray

    def __bool__(self) -> bool:
        return bool(len(self.leaks) or len(self.lost))

    def __str__(self) -> str:
        lines = []
        for cells, problem in (
            (self.leaks, "visible but not requested"),
            (self.lost, "requested but not visible"),
        ):
            if len(cells):
                sample, head, query, key = cells[0]
                lines.append(
                    f"{len(cells)} cell{'s' * (len(cells) > 1)} {problem}; first: sample {sample}, "
                    f"head {head}, query {query}, key {key}"
                )
        return "\n".join(lines) or "the received mask is the requested one"


def compare(asked: Any, got: Any, valid: Any = None) -> Difference:
    """Compare the mask that was requested with the one that a model received.

    Args:
        asked: bool, True = may attend; of shape (q_len, kv_len), or with heads and samples before.
        got: the same, such as ``Received.mask``; an axis of length 1 is broadcast.
        valid: 1 for each query that is a real token, of shape (samples, q_len); the others are
            ignored, as the output of padding is not used.

    Raises:
        OptionError: when the shapes do not match, or a mask is not bool.

    Example:
        >>> causal = np.tri(3, dtype=bool)
        >>> print(compare(causal, np.ones((3, 3), bool)))
        3 cells visible but not requested; first: sample 0, head 0, query 0, key 1
        >>> print(compare(causal, causal))
        the received mask is the requested one
    """
    one, other = _four_axes("asked", asked), _four_axes("got", got)
    rows = np.not_equal(np.ones(1) if valid is None else valid, 0)[..., None, :, None]
    try:
        if one.shape[2:] != other.shape[2:] or rows.shape[-2] not in (1, one.shape[2]):
            raise ValueError
        leaks, lost = (np.argwhere(cells & rows) for cells in (other & ~one, one & ~other))
    except ValueError:  # from numpy, for samples and heads
        of_valid = "" if valid is None else f", valid {np.shape(valid)}"
        raise OptionError(
            f"shapes do not match: requested mask {np.shape(asked)}, received mask "
            f"{np.shape(got)}{of_valid}"
        ) from None
    return Difference(leaks, lost)


def _four_axes(name: str, mask: Any) -> BoolArray:
    array = np.asarray(mask)
    if array.dtype != np.bool_ or not 2 <= array.ndim <= 4:
        raise OptionError(
            f"{name!r} is {array.dtype} with {array.ndim} dimensions; masks are bool with 2 to 4 "
            "dimensions (samples, heads, q_len, kv_len)"
        )
    return array[(None,) * (4 - array.ndim)]


class _Capture(TorchFunctionMode):
    """Intercepts the functions of torch and records the masks of attention."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        base = base_model(model)
        self.names = {module: name for name, module in model.named_modules()}
        self.roles = dict(attention_modules(base)) if isinstance(base, PreTrainedModel) else {}
        self.records: list[Received] = []
        self._running: list[torch.nn.Module] = []
        self._weights: Any = None  # of the softmax that gave the last record

    def enter(self, module: torch.nn.Module, *_: Any) -> None:
        """Note that a module starts to run."""
        if module in self.names:
            self._running.append(module)

    def leave(self, module: torch.nn.Module, *_: Any) -> None:
        """Note that a module has run."""
        if module in self.names:
            self._running.pop()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is functional.multi_head_attention_forward:
            with self:
                return _without_override(func)(*args, **kwargs)
        if func is functional.scaled_dot_product_attention:
            self._record(_mask_of_sdpa(*args, **kwargs))
        recorded = func in SOFTMAX and self._record(_mask_of_softmax(*args, **kwargs))
        out = func(*args, **kwargs)
        if recorded:
            self._weights = out
        elif self._weights is not None and args and args[0] is self._weights:
            self._drop_columns(func, args[1:], kwargs, out)
        return out

    def _drop_columns(self, func: Any, args: Any, kwargs: Any, out: Any) -> None:
        """Remove the columns that a model drops from its weights from the last record."""
        before = self._weights
        if not isinstance(out, torch.Tensor) or out.shape[:-1] != before.shape[:-1]:
            return
        if out.shape == before.shape:  # dropout, another dtype
            self._weights = out
        elif func in SELECTING:
            columns = torch.arange(before.shape[-1]).expand(before.shape)
            kept = func(columns, *args, **kwargs).reshape(-1, out.shape[-1])[0].numpy()
            last = self.records[-1]
            self.records[-1] = replace(last, mask=readonly(last.mask[..., kept], np.bool_))
            self._weights = None

    def _record(self, mask: torch.Tensor | None) -> bool:
        """Record a mask of shape (batch, heads, q_len, kv_len) or (batch · heads, …)."""
        self._weights = None
        if mask is None or not self._running:
            return False
        module: Any = self._running[-1]
        if mask.ndim == 3:
            heads = getattr(module, "num_heads", None)
            if not isinstance(heads, int) or len(mask) % heads:
                return False  # a softmax over a vocabulary, for example
            mask = mask.reshape(-1, heads, *mask.shape[1:])
        biases = (getattr(module, "bias_k", None) is not None) + bool(
            getattr(module, "add_zero_attn", False)
        )
        mask = mask[..., : mask.shape[-1] - biases]
        groups = getattr(module, "num_key_value_groups", 1)
        heads = getattr(getattr(module, "config", None), "num_attention_heads", None)
        if groups > 1 and mask.shape[2] == groups and mask.shape[1] * groups == heads:
            # For a single query, transformers passes heads that share keys as queries.
            mask = mask.flatten(1, 2)[:, :, None]
        if mask.stride(1) == 0 or bool((mask == mask[:, :1]).all()):
            mask = mask[:, :1]
        name = self.names[module]
        if module in self.roles:
            kind, layer_idx = self.roles[module].attention_kind, self.roles[module].layer_idx
        else:
            kind, layer_idx = _role_of_name(name)
        self.records.append(Received(name, kind, layer_idx, readonly(mask.cpu().numpy(), np.bool_)))
        return True


@cache
def _without_override(func: Any) -> Any:
    """Return a torch function without its override check, so that its calls are intercepted."""
    names = {**func.__globals__, "has_torch_function": lambda _: False}
    return types.FunctionType(
        func.__code__, names, func.__name__, func.__defaults__, func.__closure__
    )


def _mask_of_sdpa(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    **rest: Any,
) -> torch.Tensor:
    shape = (*query.shape[:-1], key.shape[-2])
    if attn_mask is None:
        mask = torch.ones(shape[-2:], dtype=torch.bool)
        mask = mask.tril() if is_causal else mask  # torch aligns it to the upper left corner
    else:
        mask = attn_mask if attn_mask.dtype == torch.bool else _visible(attn_mask)
    return mask.expand(shape)


def _mask_of_softmax(
    input: torch.Tensor, dim: int | None = None, *rest: Any, **more: Any
) -> torch.Tensor | None:
    """Return the mask of the scores, or None if their shape is not one of attention."""
    attention = input.ndim in (3, 4) and dim in (-1, input.ndim - 1)
    return _visible(input) if attention else None


def _visible(scores: torch.Tensor) -> torch.Tensor:
    return ~(scores <= (-5e7 if scores.element_size() > 2 else -5e3))


def _role_of_name(name: str) -> tuple[AttentionKind, int | None]:
    """Return attention kind and layer index from the module names of fairseq and torch."""
    parts = name.split(".")
    layer_idx = next((int(part) for part in parts if part.isdigit()), None)
    if CROSS.intersection(parts):
        return "cross", layer_idx
    return "decoder" if "decoder" in parts else "encoder", layer_idx
