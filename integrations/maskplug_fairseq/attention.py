"""fairseq's multi-head attention with masks from a pattern."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from fairseq.modules import MultiheadAttention

from maskplug.attention import AttentionCall, AttentionKind, Causal, Intervals, Padding, Pattern
from maskplug.attention.fallback import count_empty_rows, fill_empty_rows
from maskplug.context import MaskingContext
from maskplug.errors import MaskplugWarning, OptionError
from maskplug.schedule import progress_at
from maskplug.types import BoolArray


@dataclass(frozen=True, eq=False)
class ModuleCall:
    """The arguments of one call of an attention module.

    Attributes:
        offset: the number of tokens decoded before the first query.
        causal: whether queries must not see later keys.
        annotations: bool arrays of shape (batch or 1, tokens) that patterns read, by name; always
            ``valid`` (True = no padding), in cross attention also ``valid_queries``.
    """

    q_len: int
    kv_len: int
    offset: int
    causal: bool
    heads: int
    layer_idx: int
    annotations: Mapping[str, BoolArray]

    def same_mask(self, other: ModuleCall, any_layer: bool) -> bool:
        """Return whether another call has the same mask, possibly in another layer."""
        sizes, others = (
            (c.q_len, c.kv_len, c.offset, c.causal, c.heads, 0 if any_layer else c.layer_idx)
            for c in (self, other)
        )
        return (
            sizes == others
            and self.annotations.keys() == other.annotations.keys()
            and all(
                np.array_equal(array, other.annotations[n]) for n, array in self.annotations.items()
            )
        )


class PaddingReader:
    """Convert a padding mask to numpy once for all layers, because it blocks an accelerator."""

    def __init__(self) -> None:
        self._last: tuple[torch.Tensor, int, BoolArray] | None = None

    def __call__(self, padding: torch.Tensor | None, length: int) -> BoolArray:
        """Return True = no padding: bool of shape (batch, length); (1, length) without padding."""
        if padding is None:
            return np.ones((1, length), np.bool_)
        version = -1 if padding.is_inference() else padding._version
        if self._last is not None and self._last[0] is padding and self._last[1] == version:
            return self._last[2]
        valid = ~padding.detach().bool().cpu().numpy()
        valid = valid[:1] if valid.all() else valid
        self._last = padding, version, valid
        return valid


class Masks:
    """The masks of the encoder's, the decoder's or the cross attention of all layers.

    Args:
        attention_kind: the kind of attention.
        pattern: its pattern.
        seed: for random patterns; all samples have the key 0, because fairseq's models do not
            receive sample ids.
        updates: the number of updates over which schedules run.
    """

    def __init__(
        self, attention_kind: AttentionKind, pattern: Pattern, seed: int = 0, updates: int = 0
    ) -> None:
        self.attention_kind, self.pattern = attention_kind, pattern
        self.seed, self.updates = seed, updates
        #: The number of updates so far, set by the model.
        self.step = 0
        #: Starts of sentences and sections in the current sources, for the encoder's attention.
        self.starts: Mapping[str, BoolArray] = {}
        self.valid, self.valid_queries = PaddingReader(), PaddingReader()
        self._warned = False
        self._last: tuple[int, ModuleCall, bool, torch.Tensor] | None = None

    def hidden(self, call: ModuleCall, device: torch.device) -> torch.Tensor:
        """Return the mask of a call: bool, (batch or 1, heads or 1, q_len, kv_len), True = hidden.

        Padding among the keys is not hidden here, but every query that is no padding sees at least
        one key that is no padding.
        """
        if self._last is not None:
            step, last_call, any_layer, hidden = self._last
            same_time = step == self.step and hidden.device == device
            if same_time and call.same_mask(last_call, any_layer):
                return hidden
        batch = max(map(len, call.annotations.values()))
        progress = progress_at(self.step, self.updates)
        context = MaskingContext.at(self.seed, 0, self.step, np.zeros(batch, np.uint64), progress)
        sizes = call.q_len, call.kv_len, context, call.heads, call.offset
        shared = not self.pattern.uses_layer_idx
        layer_idx = 0 if shared else call.layer_idx
        arguments = AttentionCall(*sizes, self.attention_kind, layer_idx, call.annotations)
        intervals = _merge_equal_samples(self._intervals(arguments, call.causal))
        hidden = torch.from_numpy(~intervals.dense()).to(device)
        self._last = self.step, call, shared, hidden
        return hidden

    def _intervals(self, call: AttentionCall, causal: bool) -> Intervals:
        """Return the visible keys, at least one for each query that is no padding."""
        rows = self.pattern.rows(call)
        if causal:
            rows = rows & Causal().rows(call)
        visible = rows if call.valid.all() else rows & Padding().rows(call)
        empty = (visible.counts == 0) & call.valid_queries[:, None]
        if not empty.any():
            return rows
        if not self._warned:
            self._warned = True
            key = "the first token of the source" if call.cross else "themselves"
            warnings.warn(
                f"--{self.attention_kind}-attention-pattern: {self.pattern} hides every key from "
                f"{count_empty_rows(empty)}; they see {key}. This warning is shown once",
                MaskplugWarning,
                stacklevel=3,
            )
        return fill_empty_rows(rows, call, empty, "first" if call.cross else "self")


def _merge_equal_samples(rows: Intervals) -> Intervals:
    """Return the intervals of one sample if all samples have the same."""
    arrays = {name: getattr(rows, name) for name in ("lo", "hi", "keys", "phase")}
    arrays = {name: array for name, array in arrays.items() if array is not None}
    if not all((array == array[:1]).all() for array in arrays.values()):
        return rows
    return replace(rows, **{name: array[:1] for name, array in arrays.items()})


@dataclass
class TargetProgress:
    """The target tokens so far and their padding, for the cross attention of a layer."""

    tokens: int = 0
    padding: torch.Tensor | None = None


class PatternAttention(MultiheadAttention):  # type: ignore[misc]
    """Attention with a pattern; checkpoints also fit fairseq's attention.

    fairseq has two implementations: PyTorch's, which takes a mask for each sample and head, and
    its own, for cross attention and incremental decoding, which takes one mask for all samples but
    calls ``apply_sparse_mask`` on the scores.
    """

    masks: Masks | None
    layer_idx: int
    progress: TargetProgress | None
    hidden: torch.Tensor | None

    @classmethod
    def convert(
        cls,
        attention: Any,
        masks: Masks | None,
        layer_idx: int,
        progress: TargetProgress | None = None,
    ) -> None:
        """Make fairseq's attention follow a pattern; without masks it only counts target tokens.

        The module changes its class and stays the same object, because layers may be wrapped
        already (activation checkpoints, FSDP). ``progress`` is shared by the self-attention and
        the cross attention of a layer.
        """
        if type(attention) is not MultiheadAttention or attention.use_xformers:
            kind = "xFormers" if type(attention) is MultiheadAttention else type(attention).__name__
            raise OptionError(f"attention patterns need fairseq's MultiheadAttention, not {kind}")
        attention.__class__ = cls
        attention.masks, attention.layer_idx, attention.progress = masks, layer_idx, progress
        attention.hidden = None

    def set_num_updates(self, num_updates: int) -> None:
        """Set the number of updates; called by fairseq at every update and after loading."""
        if self.masks is not None:
            self.masks.step = num_updates

    def forward(
        self,
        query: torch.Tensor,
        key: torch.Tensor | None,
        value: torch.Tensor | None,
        key_padding_mask: torch.Tensor | None = None,
        incremental_state: Any = None,
        **options: Any,
    ) -> Any:
        """Attend as fairseq does; any ``attn_mask`` means causal attention."""
        kv_len, padding = self._keys(query, key, key_padding_mask, incremental_state)
        if self.self_attention and self.progress is not None:
            self.progress.tokens, self.progress.padding = kv_len, padding
        if self.masks is not None:
            causal = options.get("attn_mask") is not None or incremental_state is not None
            call = self._call(
                query, kv_len, padding, causal and self.masks.attention_kind == "decoder"
            )
            self.hidden = self.masks.hidden(call, query.device)
            # fairseq's condition for PyTorch's implementation
            fairseq_only = (
                self.onnx_trace or self.skip_embed_dim_check or query.device.type == "xla"
            )
            if not (incremental_state is not None or options.get("static_kv") or fairseq_only):
                options["attn_mask"] = _additive(self.hidden, query, self.num_heads)
        try:
            return super().forward(
                query, key, value, key_padding_mask, incremental_state, **options
            )
        finally:
            self.hidden = None

    def apply_sparse_mask(self, attn_weights: Any, tgt_len: int, src_len: int, bsz: int) -> Any:
        """Hide scores of all samples and heads; called by fairseq's implementation."""
        if self.hidden is None:
            return attn_weights
        scores = attn_weights.view(bsz, self.num_heads, tgt_len, src_len)
        return scores.masked_fill(self.hidden, _hidden_score(scores.dtype)).view_as(attn_weights)

    def _keys(
        self, query: torch.Tensor, key: Any, padding: Any, incremental_state: Any
    ) -> tuple[int, Any]:
        """Return the number of keys with cached ones, and their padding."""
        cache = self._get_input_buffer(incremental_state)
        cached = cache["prev_key"].size(2) if "prev_key" in cache else None
        if not self.self_attention:
            if cached is None:
                return key.size(0), padding
            # Reordered with the beams, unlike the arguments.
            return cached, cache.get("prev_key_padding_mask")
        if cached is None:
            return len(query), padding
        before, count = cache.get("prev_key_padding_mask"), len(query) + cached
        batch = query.size(1)
        return count, self._append_prev_key_padding_mask(padding, before, batch, count, False)

    def _call(self, query: torch.Tensor, kv_len: int, padding: Any, causal: bool) -> ModuleCall:
        assert self.masks is not None
        q_len, batch = query.shape[:2]
        valid = self.masks.valid(padding, kv_len)
        if len(valid) not in (1, batch):  # one row per sample serves all beams of the sample
            valid = np.repeat(valid, batch // len(valid), axis=0)
        annotations, tokens = {"valid": valid, **self.masks.starts}, kv_len
        if not self.self_attention:
            assert self.progress is not None
            tokens = self.progress.tokens
            annotations["valid_queries"] = self.masks.valid_queries(self.progress.padding, tokens)
        offset = tokens - q_len
        return ModuleCall(
            q_len, kv_len, offset, causal, self.num_heads, self.layer_idx, annotations
        )


def _hidden_score(dtype: torch.dtype) -> float:
    """Return the score of hidden keys; finite as in fairseq, because a row may be all padding."""
    return -1e8 if dtype == torch.float32 else -1e4


def _additive(hidden: torch.Tensor, query: torch.Tensor, heads: int) -> torch.Tensor:
    """Return PyTorch's additive mask: (queries, keys), or (batch * heads, queries, keys)."""
    device = query.device.type
    autocast = torch.is_autocast_enabled(device)
    dtype = torch.get_autocast_dtype(device) if autocast else query.dtype
    mask = torch.zeros(hidden.shape, dtype=dtype, device=query.device)
    mask.masked_fill_(hidden, _hidden_score(dtype))
    if mask.shape[:2] == (1, 1):
        return mask[0, 0]
    return mask.expand(query.size(1), heads, -1, -1).flatten(0, 1)
