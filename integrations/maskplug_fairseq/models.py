"""fairseq's Transformer and BART with attention patterns.

Without patterns they are equal to fairseq's. Parameters are the same with and without patterns, so
that checkpoints fit both.
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

from maskplug.errors import OptionError
from maskplug_fairseq.attention import Masks, PatternAttention, TargetProgress
from maskplug_fairseq.attention_options import (
    AttentionConfig,
    StartFindingEncoder,
    add_attention_args,
    parse_attention_args,
)

#: fairseq's architectures that also exist as maskplug_NAME, with patterns.
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


class _AttentionPatterns:
    """A mixin to kind before one of fairseq's models."""

    @classmethod
    def add_args(cls, parser: ArgumentParser) -> None:
        """Add the options of fairseq's model, and those of patterns."""
        super().add_args(parser)  # type: ignore[misc]
        add_attention_args(parser)

    @classmethod
    def build_model(cls, args: Any, task: Any) -> Any:
        """Build the model and set its patterns."""
        config = parse_attention_args(args, task.source_dictionary)
        model = super().build_model(args, task)  # type: ignore[misc]
        set_patterns(model, config)
        return model


@register_model("maskplug_transformer")
class MaskplugTransformerModel(_AttentionPatterns, TransformerModel):  # type: ignore[misc]
    """fairseq's Transformer with attention patterns."""


@register_model("maskplug_bart")
class MaskplugBARTModel(_AttentionPatterns, BARTModel):  # type: ignore[misc]
    """fairseq's BART with attention patterns and classification heads."""


def set_patterns(model: Any, config: AttentionConfig) -> None:
    """Make a model of fairseq's encoder and decoder layers follow attention patterns.

    Raises:
        OptionError: if the model has no such attention, or one that does not accept masks.
    """
    masks = {
        kind: Masks(kind, pattern, config.seed, config.updates)
        for kind, pattern in config.patterns.items()
    }
    if "encoder" in masks:
        for layer_idx, layer in enumerate(_attention_layers(model.encoder)):
            PatternAttention.convert(layer.self_attn, masks["encoder"], layer_idx)
        if config.finder is not None:
            StartFindingEncoder.convert(model.encoder, masks["encoder"], config.finder)
    decoder, cross = masks.get("decoder"), masks.get("cross")
    if decoder is None and cross is None:
        return
    if model.decoder.cross_self_attention:
        raise OptionError(
            "--cross-self-attention merges self-attention and cross attention: use no "
            "--decoder-attention-pattern and no --cross-attention-pattern"
        )
    for layer_idx, layer in enumerate(_attention_layers(model.decoder)):
        progress = None if cross is None else TargetProgress()
        PatternAttention.convert(layer.self_attn, decoder, layer_idx, progress)
        if cross is not None:
            if layer.encoder_attn is None:
                raise OptionError(
                    "--cross-attention-pattern cannot be used with --no-cross-attention"
                )
            PatternAttention.convert(layer.encoder_attn, cross, layer_idx, progress)


def _attention_layers(stack: Any) -> Iterator[Any]:
    """Yield the layers that attend, by number: iterating over a LayerDrop list skips layers."""
    layers = (stack.layers[number] for number in range(len(stack.layers)))
    return (layer for layer in layers if hasattr(layer, "self_attn"))


def register_architectures() -> None:
    """Register fairseq's architectures with patterns; may be called again."""
    for model, names in ARCHITECTURES.items():
        for name in names:
            if f"maskplug_{name}" not in ARCH_MODEL_REGISTRY:
                register = register_model_architecture(model, f"maskplug_{name}")
                register(ARCH_CONFIG_REGISTRY[name])


register_architectures()
