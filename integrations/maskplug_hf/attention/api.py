"""``use_attention``: set the attention patterns of a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from transformers import PreTrainedModel

from maskplug.attention import AttentionKind, Fallback, Pattern
from maskplug.attention import pattern as resolve_pattern
from maskplug.attention.call import ATTENTION_KINDS
from maskplug.attention.fallback import check_fallback
from maskplug.errors import OptionError
from maskplug_hf.attention.handle import HANDLE, PatternAttention
from maskplug_hf.attention.interface import NAMES
from maskplug_hf.attention.mixing import known_mixer, probe_documents
from maskplug_hf.attention.modules import attention_modules
from maskplug_hf.model import base_model

#: A pattern, an expression such as "window:left=4 & document", or a spec.
PatternLike = Pattern | str | Mapping[str, Any]


def use_attention(
    model: Any,
    pattern: PatternLike | None = None,
    *,
    encoder: PatternLike | None = None,
    decoder: PatternLike | None = None,
    cross: PatternLike | None = None,
    keep_own: bool = True,
    evaluation: PatternLike | Mapping[AttentionKind, PatternLike] | None = None,
    seed: int = 0,
    fallback: Fallback | None = None,
    backend: str = "sdpa",
) -> PatternAttention:
    """Set the attention patterns of a model, in place of any that were set before.

    Columns that the patterns read (``document_ids``, …) and ``sample_keys`` are removed from each
    batch before the forward pass. Without ``sample_keys`` every sample has the key 0.

    Args:
        model: a transformers model, with or without a peft adapter.
        pattern: for the self-attention of a model with one stack, encoder or decoder.
        encoder, decoder: for the self-attention of each stack.
        cross: for the decoder's attention to the encoder.
        keep_own: whether keys that the model itself hides (causality, a sliding window) stay
            hidden. If False, the pattern alone decides; padding is always hidden.
        evaluation: patterns in evaluation mode: one as ``pattern``, or a mapping of attention kinds
            to patterns. The default is the same patterns.
        seed: for patterns that draw.
        fallback: what queries without a visible key attend to: "self" for their own token, "first"
            for the sample's first; "error" raises. The default is "self". In cross-attention it is
            always the first token.
        backend: the attention implementation of transformers: "sdpa", "eager", or "flex" for long
            texts, which computes block masks.

    Returns:
        A handle that sets the patterns' time and removes them.

    Raises:
        OptionError: for a model or backend that would ignore patterns, for attention kinds that the
            model does not have, and for patterns that separate documents (``document``) in a model
            that mixes tokens outside of attention: by convolutions, recurrence, or statistics of
            the row. Known modules are found by name, others by a tiny run on two documents.

    Example:
        >>> from transformers import BertConfig, BertModel
        >>> size = {"hidden_size": 8, "num_hidden_layers": 1, "intermediate_size": 8}
        >>> model = BertModel(BertConfig(vocab_size=9, num_attention_heads=1, **size))
        >>> with use_attention(model, "window:left=2,right=2") as attention:
        ...     print(attention.patterns["encoder"], model.config._attn_implementation)
        window:left=2,right=2 maskplug
        >>> model.config._attn_implementation
        'sdpa'
    """
    model = base_model(model)
    kinds = _check_model(model)
    _check_backend(model, backend)
    check_fallback(fallback)
    named = {"encoder": encoder, "decoder": decoder, "cross": cross}
    patterns = _by_kind(model, kinds, pattern, named)
    if not patterns:
        raise OptionError("no pattern given; pass one, or one for encoder=, decoder= or cross=")
    evaluated = dict(patterns)
    if isinstance(evaluation, Mapping) and "name" not in evaluation:
        if unknown := sorted(set(evaluation) - set(ATTENTION_KINDS)):
            raise OptionError(f"evaluation names {unknown}; choices: {', '.join(ATTENTION_KINDS)}")
        evaluated = _by_kind(model, kinds, None, evaluation)
    elif evaluation is not None:
        evaluated = _by_kind(model, kinds, evaluation, {})
    separates = any(one.separates for one in (*patterns.values(), *evaluated.values()))
    if separates and (message := known_mixer(model)) is not None:
        raise OptionError(message)
    for module in model.modules():
        if (former := vars(module).get(HANDLE)) is not None:
            former.remove()
    if separates:
        probe_documents(model)
    return PatternAttention(model, patterns, evaluated, keep_own, fallback, seed, backend)


def _by_kind(
    model: Any, kinds: set[AttentionKind], single: Any, named: Mapping[Any, Any]
) -> dict[AttentionKind, Pattern]:
    """Return patterns by attention kind, from one for self-attention and some by name."""
    patterns = {cast(AttentionKind, kind): one for kind, one in named.items() if one is not None}
    listed = ", ".join(sorted(kinds))
    if single is not None:
        self_attention = sorted(kinds - {"cross"})
        if len(self_attention) != 1:
            raise OptionError(
                f"{type(model).__name__} has several kinds of attention ({listed}): name them, as "
                "in use_attention(model, encoder='window:left=64,right=64')"
            )
        kind = self_attention[0]
        if kind in patterns:
            raise OptionError(f"two patterns for {kind!r}: pass either pattern= or {kind}=")
        patterns[kind] = single
    for kind in patterns:
        if kind not in kinds:
            raise OptionError(
                f"{type(model).__name__} has no {kind!r} attention; choices: {listed}"
            )
    return {kind: resolve_pattern(one) for kind, one in patterns.items()}


def _check_model(model: Any) -> set[AttentionKind]:
    """Return the kinds of attention in a model.

    Raises:
        OptionError: when a pattern would have no effect on the model.
    """
    name = type(model).__name__
    if not isinstance(model, PreTrainedModel):
        raise OptionError(f"{name} is not a transformers model (PreTrainedModel)")
    kinds = {role.attention_kind for _, role in attention_modules(model)}
    if not kinds or not model._can_set_attn_implementation():
        raise OptionError(
            f"{name} does not use transformers' AttentionInterface and would ignore a pattern. Use "
            "a model that does (BERT, RoBERTa, ModernBERT, T5, BART, Llama, …), or render the "
            "pattern (Pattern.additive, Pattern.dense) and pass it as the model takes masks"
        )
    return kinds


def _check_backend(model: Any, backend: str) -> None:
    if backend not in NAMES:
        reason = ": flash attention takes no masks" if "flash" in str(backend) else ""
        raise OptionError(f"backend is {backend!r}{reason}; choices: 'sdpa', 'eager', 'flex'")
    supported = {"sdpa": model._supports_sdpa, "flex": model._supports_flex_attn}
    if not supported.get(backend, True):
        remedy = "eager" if backend == "sdpa" else "sdpa"
        raise OptionError(
            f"{type(model).__name__} does not support {backend}; use backend={remedy!r}"
        )
