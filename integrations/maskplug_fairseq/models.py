"""fairseq's Transformer and BART, whose attention follows patterns.

Without a pattern they are fairseq's, and with one they have the same parameters: checkpoints fit
both.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from fairseq.models import (
    ARCH_CONFIG_REGISTRY,
    ARCH_MODEL_REGISTRY,
    register_model,
    register_model_architecture,
)
from fairseq.models.bart import BARTModel
from fairseq.models.transformer import TransformerModel
from fairseq.modules import MultiheadAttention

from maskplug.errors import OptionError
from maskplug_fairseq.attention import PatternAttention, Progress
from maskplug_fairseq.attention_masks import Masks
from maskplug_fairseq.attention_options import (
    AttentionPlan,
    add_attention_args,
    attention_plan,
)
from maskplug_fairseq.attention_tokens import ReadingEncoder

#: fairseq's architectures that have a twin with patterns, called maskplug_…
ARCHITECTURES = {
    "maskplug_transformer": (
        "transformer",
        "transformer_tiny",
        "transformer_iwslt_de_en",
        "transformer_wmt_en_de",
        "transformer_vaswani_wmt_en_de_big",
        "transformer_wmt_en_de_big",
        "transformer_wmt_en_de_big_t2t",
    ),
    "maskplug_bart": ("bart_base", "bart_large", "mbart_base", "mbart_large"),
}


class _FollowsPatterns:
    """Mixed in before one of fairseq's models."""

    @classmethod
    def add_args(cls, parser: ArgumentParser) -> None:
        """Everything of fairseq's model, and the patterns."""
        super().add_args(parser)  # type: ignore[misc]
        add_attention_args(parser)

    @classmethod
    def build_model(cls, args: Any, task: Any) -> Any:
        """Build the model.

        Raises:
            OptionError: for a wrong pattern, or one that the model cannot follow.
        """
        plan = attention_plan(args, task.source_dictionary)
        model = super().build_model(args, task)  # type: ignore[misc]
        follow(model, plan)
        return model


@register_model("maskplug_transformer")
class MaskplugTransformerModel(_FollowsPatterns, TransformerModel):  # type: ignore[misc]
    """fairseq's Transformer, whose attention follows patterns."""


@register_model("maskplug_bart")
class MaskplugBARTModel(_FollowsPatterns, BARTModel):  # type: ignore[misc]
    """fairseq's BART, whose attention follows patterns; it has heads for classification, too."""


def follow(model: Any, plan: AttentionPlan) -> None:
    """Make a model of fairseq's follow patterns from now on.

    Args:
        model: with an encoder and a decoder, made of fairseq's layers.
        plan: who may see whom.

    Raises:
        OptionError: where the model has no such attention, or one that takes no masks.
    """
    masks = {
        place: Masks(place, pattern, plan.seed, plan.updates)
        for place, pattern in plan.patterns.items()
    }
    if "encoder" in masks:
        for depth, layer in enumerate(_layers(model.encoder)):
            _put(layer.self_attn, masks["encoder"], depth)
        if plan.reader is not None:
            ReadingEncoder.put_on(model.encoder, masks["encoder"], plan.reader)
    within, across = masks.get("decoder"), masks.get("cross")
    if within is None and across is None:
        return
    if model.decoder.cross_self_attention:
        raise OptionError(
            "--cross-self-attention joins two attentions into one: no --decoder-attention-pattern "
            "and no --cross-attention-pattern"
        )
    for depth, layer in enumerate(_layers(model.decoder)):
        so_far = Progress() if across is not None else None
        _put(layer.self_attn, within, depth, so_far)
        if across is not None:
            if layer.encoder_attn is None:
                raise OptionError("--cross-attention-pattern with --no-cross-attention")
            _put(layer.encoder_attn, across, depth, so_far)


def _layers(stack: Any) -> Iterator[Any]:
    """Its layers that attend; going through a list with LayerDrop would leave some out."""
    layers = (stack.layers[number] for number in range(len(stack.layers)))
    return (layer for layer in layers if hasattr(layer, "self_attn"))


def _put(attention: Any, masks: Masks | None, depth: int, so_far: Progress | None = None) -> None:
    if type(attention) is not MultiheadAttention or attention.use_xformers:
        kind = "xFormers" if type(attention) is MultiheadAttention else type(attention).__name__
        raise OptionError(
            f"attention patterns work in fairseq's own MultiheadAttention, not in {kind}"
        )
    PatternAttention.put_on(attention, masks, depth, so_far)


def register_architectures() -> None:
    """Give fairseq's architectures their twins; harmless when repeated."""
    for model, names in ARCHITECTURES.items():
        for name in names:
            if f"maskplug_{name}" not in ARCH_MODEL_REGISTRY:
                make = register_model_architecture(model, f"maskplug_{name}")
                make(ARCH_CONFIG_REGISTRY[name])


register_architectures()
