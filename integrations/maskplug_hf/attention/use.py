"""One line that gives a model's attention a pattern."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from transformers import PreTrainedModel

from maskplug.attention import AttentionKind, Fallback, Pattern
from maskplug.attention.fallback import check_fallback
from maskplug.attention.pattern import pattern as made_of
from maskplug.errors import OptionError
from maskplug_hf.attention.handle import HANDLE, PatternAttention
from maskplug_hf.attention.interface import NAMES
from maskplug_hf.attention.mixing import check_documents, probe_documents
from maskplug_hf.attention.places import spots
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
    """Let a model attend by patterns.

    Columns that the patterns read (``document_ids``, …) and ``sample_keys`` are taken out of each
    batch before the model sees it. Without ``sample_keys`` every sample has the key 0. A second
    call takes the place of the first.

    Args:
        model: of transformers, with or without an adapter of peft.
        pattern: for the self-attention of a model with one stack, encoder or decoder.
        encoder, decoder: for the self-attention of each stack.
        cross: for the decoder's attention to the encoder.
        keep_own: whether keys that the model itself hides (by causality, by a sliding window) stay
            hidden. Without that the pattern alone decides; padding is always hidden.
        evaluation: while the model is not training: a pattern as ``pattern``, or a mapping of
            places to patterns; the same ones by default.
        seed: for patterns that draw.
        fallback: what queries see that would see nothing: "self" for their own token, "first" for
            the sample's first; or "error". By default themselves, and in cross attention, where
            there is no self, always the first token.
        backend: which attention of transformers computes: "sdpa", "eager", or "flex" for long
            texts, whose masks are made of blocks.

    Returns:
        What tells the patterns the time, and takes them away again.

    Raises:
        OptionError: for a model or a back end that would ignore patterns, for places that the model
            does not have, and for patterns that keep documents apart (``document``) in a model that
            mixes tokens outside of attention: by convolutions, recurrence, statistics of the row.
            Known parts are named; a tiny run on two documents, without gradients, finds others.

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
    inner = base_model(model)
    _check_model(inner)
    _check_options(inner, backend, fallback)
    have = {spot.place for _, spot in spots(inner)}
    if not have:
        raise _refused(inner)
    named = {"encoder": encoder, "decoder": decoder, "cross": cross}
    patterns = _by_place(inner, have, pattern, named)
    if not patterns:
        raise OptionError("no pattern was given; name one, or one for a place: encoder, decoder")
    calm = patterns
    if evaluation is not None:
        calm = _evaluation(inner, have, evaluation)
    separated = any(one.separates for some in (patterns, calm) for one in some.values())
    if separated:
        check_documents(inner)
    for module in inner.modules():
        if (former := vars(module).get(HANDLE)) is not None:
            former.remove()
    if separated:
        probe_documents(inner)
    return PatternAttention(inner, patterns, calm, keep_own, fallback, seed, backend)


def _evaluation(model: Any, have: set[AttentionKind], given: Any) -> dict[AttentionKind, Pattern]:
    if isinstance(given, Mapping) and "name" not in given:
        unknown = sorted(set(given) - {"encoder", "decoder", "cross"})
        if unknown:
            raise OptionError(f"evaluation names {unknown}; places are encoder, decoder and cross")
        return _by_place(model, have, None, given)
    return _by_place(model, have, given, {})


def _by_place(
    model: Any, have: set[AttentionKind], single: Any, named: Mapping[Any, Any]
) -> dict[AttentionKind, Pattern]:
    found = {cast(AttentionKind, place): one for place, one in named.items() if one is not None}
    if single is not None:
        place = _only_place(model, have)
        if place in found:
            raise OptionError(f"there are two patterns for {place!r}: a plain one and a named one")
        found[place] = single
    for place in found:
        if place not in have:
            raise OptionError(
                f"{type(model).__name__} has no attention of the kind {place!r}; it has: "
                f"{', '.join(sorted(have))}"
            )
    return {place: made_of(one) for place, one in found.items()}


def _only_place(model: Any, have: set[AttentionKind]) -> AttentionKind:
    selves = sorted(have - {"cross"})
    if len(selves) != 1:
        raise OptionError(
            f"{type(model).__name__} attends in several places ({', '.join(sorted(have))}): name "
            "them, as in use_attention(model, encoder='window:left=64,right=64')"
        )
    return selves[0]


def _check_model(model: Any) -> None:
    if not isinstance(model, PreTrainedModel):
        raise OptionError(f"{type(model).__name__} is no model of transformers (PreTrainedModel)")
    if not model._can_set_attn_implementation():
        raise _refused(model)


def _refused(model: Any) -> OptionError:
    return OptionError(
        f"{type(model).__name__} computes its attention in code of its own and would ignore a "
        "pattern. Ways out: a model that asks transformers' AttentionInterface (BERT, RoBERTa, "
        "ModernBERT, T5, BART, Llama, …); or render the pattern yourself (Pattern.additive, "
        "Pattern.dense) and give it to the model as it takes masks"
    )


def _check_options(model: Any, backend: str, fallback: Any) -> None:
    if backend not in NAMES:
        ignored = " flash attention takes no masks;" if "flash" in str(backend) else ""
        raise OptionError(f"backend is {backend!r};{ignored} choices: 'sdpa', 'eager', 'flex'")
    if backend == "sdpa" and not model._supports_sdpa:
        raise OptionError(f"{type(model).__name__} does not support sdpa; say backend='eager'")
    if backend == "flex" and not model._supports_flex_attn:
        raise OptionError(f"{type(model).__name__} does not support flex; say backend='sdpa'")
    check_fallback(fallback)
