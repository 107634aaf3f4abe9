"""fairseq's multi-head attention, whose queries see what a pattern lets them see.

fairseq has two ways to attend: PyTorch's, which takes a mask for each sample and head, and its
own, for cross attention and incremental decoding, which takes only one mask for all, but asks
``apply_sparse_mask`` what to do with the scores. Both lead here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from fairseq.modules import MultiheadAttention

from maskplug_fairseq.attention_masks import Call, Masks


@dataclass
class Progress:
    """How far self-attention has come in a decoder's layer, which its cross attention needs.

    Attributes:
        tokens: how many of the target's tokens it has seen, those decoded before included.
        padding: True for padding among them, of shape (batch, tokens); None if there is none.
    """

    tokens: int = 0
    padding: torch.Tensor | None = None


class PatternAttention(MultiheadAttention):  # type: ignore[misc]
    """Made of one of fairseq's attention modules by :meth:`put_on`.

    Parameters and their names stay fairseq's: checkpoints fit the stock architecture, too.
    """

    masks: Masks | None
    depth: int
    so_far: Progress | None
    hidden: torch.Tensor | None

    @classmethod
    def put_on(
        cls, attention: Any, masks: Masks | None, depth: int, so_far: Progress | None = None
    ) -> None:
        """Make an attention module follow a pattern.

        It changes its class and stays the same object: layers are wrapped by then (activation
        checkpoints, FSDP).

        Args:
            attention: one of fairseq's, as its layers build them.
            masks: of its place; None if it is only to note how far the target has come.
            depth: the number of its layer, from 0.
            so_far: what the self-attention and the cross attention of a layer share.
        """
        attention.__class__ = cls
        attention.masks, attention.depth, attention.so_far = masks, depth, so_far
        attention.hidden = None

    def set_num_updates(self, num_updates: int) -> None:
        """What fairseq calls at every update, and when it loads a checkpoint."""
        if self.masks is not None:
            self.masks.step = num_updates

    def forward(
        self,
        query: torch.Tensor,
        key: torch.Tensor | None,
        value: torch.Tensor | None,
        key_padding_mask: torch.Tensor | None = None,
        incremental_state: Any = None,
        need_weights: bool = True,
        static_kv: bool = False,
        attn_mask: torch.Tensor | None = None,
        **more: Any,
    ) -> Any:
        """As fairseq's; ``attn_mask``, if there is one, says that attention is causal."""
        if self.so_far is not None and self.self_attention:
            self.so_far.tokens, self.so_far.padding = self._tokens(
                query, key_padding_mask, incremental_state
            )
        if self.masks is not None:
            if self.self_attention:
                causal = attn_mask is not None or incremental_state is not None
                call = self._within(query, key_padding_mask, incremental_state, causal)
            else:
                call = self._across(query, key, key_padding_mask, incremental_state)
            self.hidden = self.masks.hidden(call, query.device)
            if self._by_torch(query, incremental_state, static_kv):
                attn_mask = _added(self.hidden, query, self.num_heads)
        try:
            return super().forward(
                query,
                key,
                value,
                key_padding_mask,
                incremental_state,
                need_weights,
                static_kv,
                attn_mask,
                **more,
            )
        finally:
            self.hidden = None

    def apply_sparse_mask(self, attn_weights: Any, tgt_len: int, src_len: int, bsz: int) -> Any:
        """What fairseq asks on its own way of attending, with scores of all samples and heads."""
        if self.hidden is None:
            return attn_weights
        scores = attn_weights.view(bsz, self.num_heads, tgt_len, src_len)
        return scores.masked_fill(self.hidden, _nothing(scores.dtype)).view_as(attn_weights)

    def _by_torch(self, query: torch.Tensor, incremental_state: Any, static_kv: bool) -> bool:
        """Whether fairseq hands this call over to PyTorch; its own condition."""
        own_way = self.onnx_trace or self.skip_embed_dim_check or query.device.type == "xla"
        return incremental_state is None and not static_kv and not own_way

    def _tokens(self, query: torch.Tensor, padding: Any, incremental_state: Any) -> tuple[int, Any]:
        """The number of tokens of self-attention, those decoded before included; their padding."""
        count, batch = query.shape[:2]
        saved = self._get_input_buffer(incremental_state)
        if "prev_key" not in saved:
            return count, padding
        count += saved["prev_key"].size(2)
        before = saved.get("prev_key_padding_mask")
        return count, self._append_prev_key_padding_mask(padding, before, batch, count, False)

    def _within(
        self, query: torch.Tensor, padding: Any, incremental_state: Any, causal: bool
    ) -> Call:
        """A call of self-attention."""
        assert self.masks is not None
        keys, padding = self._tokens(query, padding, incremental_state)
        return Call(
            queries=len(query),
            keys=keys,
            offset=keys - len(query),
            causal=causal and self.masks.place == "decoder",
            heads=self.num_heads,
            depth=self.depth,
            valid=self.masks.valid(padding, keys),
            **self.masks.begins,
        )

    def _across(self, query: torch.Tensor, key: Any, padding: Any, incremental_state: Any) -> Call:
        """A call of cross attention, which comes after its layer's self-attention."""
        assert self.masks is not None
        assert self.so_far is not None
        saved = self._get_input_buffer(incremental_state)
        if "prev_key" in saved:  # beams are reordered here; what is passed on may be out of date
            keys, padding = saved["prev_key"].size(2), saved.get("prev_key_padding_mask")
        else:
            keys = key.size(0)
        valid = self.masks.valid(padding, keys)
        if len(valid) > 1:  # one row for each sample may serve all its beams
            valid = np.repeat(valid, query.size(1) // len(valid), axis=0)
        return Call(
            queries=len(query),
            keys=keys,
            offset=self.so_far.tokens - len(query),
            causal=False,
            heads=self.num_heads,
            depth=self.depth,
            valid=valid,
            valid_queries=self.masks.valid_queries(self.so_far.padding, self.so_far.tokens),
        )


def _nothing(dtype: torch.dtype) -> float:
    """The score of what is hidden; as in fairseq, finite: padding may be hidden from padding."""
    return -1e8 if dtype == torch.float32 else -1e4


def _added(hidden: torch.Tensor, query: torch.Tensor, heads: int) -> torch.Tensor:
    """What PyTorch adds to the scores: (queries, keys), or (batch * heads, queries, keys)."""
    queries, keys = hidden.shape[-2:]
    kind = query.device.type
    mixed = torch.is_autocast_enabled(kind)
    dtype = torch.get_autocast_dtype(kind) if mixed else query.dtype
    mask = torch.zeros(hidden.shape, dtype=dtype, device=query.device)
    mask.masked_fill_(hidden, _nothing(dtype))
    if mask.shape[:2] == (1, 1):
        return mask[0, 0]
    return mask.expand(query.size(1), heads, queries, keys).reshape(-1, queries, keys)
