"""fairseq's multi-head attention with masks from a pattern, and its encoder with sentences."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from fairseq.models.transformer import TransformerEncoder
from fairseq.modules import MultiheadAttention

from maskplug import TokenBatch
from maskplug.attention import AttentionCall, AttentionKind, Causal, Intervals, Padding, Pattern
from maskplug.attention.fallback import count_empty_rows, fill_empty_rows
from maskplug.context import MaskingContext
from maskplug.errors import MaskplugWarning, OptionError, did_you_mean
from maskplug.schedule import progress_at
from maskplug.types import BoolArray
from maskplug.vocabulary.spelling import MARK
from maskplug_fairseq.vocabulary import vocabulary

SENTENCES, SECTIONS = "sentence_starts", "section_starts"


class ModuleCall(NamedTuple):
    """The arguments of one call of an attention module, except annotations.

    ``offset`` is the number of tokens decoded before the first query; ``causal`` is whether queries
    must not see later keys.
    """

    q_len: int
    kv_len: int
    offset: int
    causal: bool
    heads: int
    layer_idx: int


Annotations = Mapping[str, BoolArray]


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
        self.starts: Annotations = {}
        self.valid, self.valid_queries = PaddingReader(), PaddingReader()
        self._uses_layer_idx = pattern.uses_layer_idx
        self._warned = False
        self._last: tuple[tuple[object, ...], Annotations, torch.Tensor] | None = None

    def hidden(
        self, call: ModuleCall, annotations: Annotations, device: torch.device
    ) -> torch.Tensor:
        """Return the mask of a call: bool, (batch or 1, heads or 1, q_len, kv_len), True = hidden.

        Padding among the keys is not hidden here, but every query that is no padding sees at least
        one key that is no padding. Annotations are bool arrays of shape (batch or 1, tokens) that
        patterns read: always ``valid`` (True = no padding), in cross attention also
        ``valid_queries``.
        """
        if not self._uses_layer_idx:
            call = call._replace(layer_idx=0)
        key = (call, self.step, device)
        if self._last is not None:
            last_key, last_annotations, hidden = self._last
            if key == last_key and _equal(annotations, last_annotations):
                return hidden
        batch = max(map(len, annotations.values()))
        progress = progress_at(self.step, self.updates)
        context = MaskingContext.at(self.seed, 0, self.step, np.zeros(batch, np.uint64), progress)
        q_len, kv_len, offset, causal, heads, layer_idx = call
        attention_call = AttentionCall(
            q_len, kv_len, context, heads, offset, self.attention_kind, layer_idx, annotations
        )
        intervals = _merge_equal_samples(self._intervals(attention_call, causal))
        hidden = torch.from_numpy(~intervals.dense()).to(device)
        self._last = key, annotations, hidden
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


def _equal(annotations: Annotations, others: Annotations) -> bool:
    return annotations.keys() == others.keys() and all(
        np.array_equal(array, others[name]) for name, array in annotations.items()
    )


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
            causal = causal and self.masks.attention_kind == "decoder"
            self.hidden = self.masks.hidden(
                *self._call(query, kv_len, padding, causal), query.device
            )
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

    def _call(
        self, query: torch.Tensor, kv_len: int, padding: Any, causal: bool
    ) -> tuple[ModuleCall, Annotations]:
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
        offset, heads = tokens - q_len, self.num_heads
        return ModuleCall(q_len, kv_len, offset, causal, heads, self.layer_idx), annotations


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


class StartFinder:
    """Find where sentences and sections of sources start.

    A sentence starts after a full stop or a similar mark, and after an end of sequence. A section
    starts at its section token, and a sentence with it.

    Raises:
        OptionError: if the dictionary does not determine the starts in ``annotations``.
    """

    def __init__(
        self, dictionary: Any, annotations: tuple[str, ...], section_token: str | None = None
    ) -> None:
        self.section_id = self.vocab = None
        if section_token is not None:
            if section_token not in dictionary:
                marks = filter(MARK.fullmatch, dictionary.symbols[dictionary.nspecial :])
                raise OptionError(
                    f"--section-token is {section_token!r}, which is not one of the source "
                    f"dictionary's {len(dictionary)} symbols{did_you_mean(section_token, marks)}"
                )
            self.section_id = int(dictionary.index(section_token))
        elif SECTIONS in annotations:
            raise OptionError(
                f"the annotation {SECTIONS!r} is unknown: set --section-token to the token at the "
                "start of each section"
            )
        if SENTENCES in annotations:
            vocab = vocabulary(dictionary)
            if vocab.sentence_end is None or not vocab.sentence_end.any():
                raise OptionError(
                    f"the annotation {SENTENCES!r} is unknown: none of the dictionary's "
                    f"{len(dictionary)} symbols is a full stop or a similar mark (. ! ? …), so "
                    "sentences cannot be found. GPT-2's BPE, for example, writes numbers"
                )
            ends = vocab.sentence_end | (np.arange(vocab.size) == dictionary.eos())
            self.vocab = replace(vocab, sentence_end=ends)

    def __call__(self, tokens: torch.Tensor) -> dict[str, BoolArray]:
        """Return the starts in a batch of sources: bool arrays of shape (batch, tokens)."""
        ids = tokens.detach().cpu().numpy()
        starts: dict[str, BoolArray] = {}
        if self.section_id is not None:
            starts[SECTIONS] = ids == self.section_id
        if self.vocab is not None:
            offsets = np.arange(len(ids) + 1) * ids.shape[1]
            batch = TokenBatch(ids.ravel(), offsets, np.zeros(len(ids), np.uint64))
            sentences = self.vocab.sentence_starts(batch).reshape(ids.shape)
            starts[SENTENCES] = sentences | starts.get(SECTIONS, False)
        return starts


class StartFindingEncoder(TransformerEncoder):  # type: ignore[misc]
    """fairseq's encoder, converted by :meth:`convert`, that finds starts before its layers run."""

    masks: Masks
    finder: StartFinder

    @classmethod
    def convert(cls, encoder: Any, masks: Masks, finder: StartFinder) -> None:
        """Make an encoder find starts in its tokens; it stays the same object."""
        encoder.__class__ = cls
        encoder.masks, encoder.finder = masks, finder

    def forward(self, src_tokens: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        """Find starts, then encode as fairseq does."""
        self.masks.starts = self.finder(src_tokens)
        return super().forward(src_tokens, *args, **kwargs)
