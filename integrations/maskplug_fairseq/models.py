"""fairseq's Transformer and BART with attention patterns, and the options of the patterns.

Without patterns they are equal to fairseq's. Parameters are the same with and without patterns, so
that checkpoints fit both.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from fairseq.models import ARCH_CONFIG_REGISTRY, register_model, register_model_architecture
from fairseq.models.bart import BARTModel
from fairseq.models.transformer import TransformerModel
from omegaconf import OmegaConf, open_dict

from maskplug import OptionError, Rng
from maskplug.attention import AttentionCall, Causal, Pattern, pattern
from maskplug.attention.call import AttentionKind
from maskplug.context import MaskingContext
from maskplug.errors import MaskplugError
from maskplug.parts import Schedule
from maskplug.spec import options_from_json, to_json
from maskplug.types import BoolArray
from maskplug_fairseq.attention import (
    SECTIONS,
    SENTENCES,
    Masks,
    PatternAttention,
    StartFinder,
    StartFindingEncoder,
    TargetProgress,
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
#: The token data that each kind of attention has.
AVAILABLE: dict[AttentionKind, tuple[str, ...]] = {
    "encoder": ("valid", SENTENCES, SECTIONS),
    "decoder": ("valid",),
    "cross": ("valid", "valid_queries"),
}
#: An example of a spec, for messages.
SPEC = '{"name": "window", "left": 8}'
#: Patterns are checked on targets up to this length.
CHECKED_LENGTH = 24


@dataclass(frozen=True)
class AttentionConfig:
    """The attention patterns of a model; see ``Masks``.

    Kinds of attention without a pattern stay fairseq's. ``finder`` is set if the encoder's pattern
    reads sentences or sections.
    """

    patterns: Mapping[AttentionKind, Pattern]
    seed: int = 0
    updates: int = 0
    finder: StartFinder | None = None


def add_attention_args(parser: ArgumentParser) -> None:
    """Add the options to a model's parser."""
    kinds: dict[AttentionKind, str] = {
        "encoder": "the encoder's self-attention",
        "decoder": "the decoder's self-attention, which stays causal",
        "cross": "cross attention, from the decoder's tokens to the encoder's",
    }
    for kind, description in kinds.items():
        text = (
            f"pattern of {description}: an expression such as 'window:left=8,right=8 | sink:n=1', "
            "or a pattern's spec as JSON; see 'maskplug list'"
        )
        parser.add_argument(_flag(kind), metavar="PATTERN", help=text)
    text = "seed of random patterns, from 0 to 2**64 - 1; they use no other seed"
    parser.add_argument("--attention-pattern-seed", type=int, metavar="N", help=text)
    text = "updates over which schedules in patterns run from start to end; default: --max-update"
    parser.add_argument("--attention-pattern-updates", type=int, metavar="N", help=text)
    text = "the token at the start of each section, for encoder patterns that read sections"
    parser.add_argument("--section-token", metavar="TOKEN", help=text)


def parse_attention_args(args: Any, dictionary: Any) -> AttentionConfig:
    """Parse and check a model's options; replace expressions in ``args`` by pinned specs.

    Args:
        args: the options, a namespace or a ``DictConfig``, which is changed.
        dictionary: the dictionary of the sources.

    Raises:
        OptionError: with the name of the option and its problem.
    """
    texts = {kind: getattr(args, _dest(kind), None) for kind in AVAILABLE}
    patterns = {kind: _parse(kind, text) for kind, text in texts.items() if text}
    seed = getattr(args, "attention_pattern_seed", None) or 0
    try:
        Rng.at(seed, 0, [])
    except OptionError as error:
        raise OptionError(f"--attention-pattern-seed: {error}") from error
    finder, encoder = None, patterns.get("encoder")
    if encoder is not None and {SENTENCES, SECTIONS} & set(encoder.all_required_annotations):
        section_token = getattr(args, "section_token", None) or None
        try:
            finder = StartFinder(dictionary, encoder.all_required_annotations, section_token)
        except OptionError as error:
            raise OptionError(f"--encoder-attention-pattern is {encoder}: {error}") from error
    config = AttentionConfig(patterns, seed, _updates(args, patterns), finder)
    for kind in patterns:
        _dry_run(kind, config)
    with open_dict(args) if OmegaConf.is_config(args) else nullcontext():
        for kind, parsed in patterns.items():
            setattr(args, _dest(kind), to_json(parsed.spec))
    return config


def _flag(kind: AttentionKind) -> str:
    return f"--{kind}-attention-pattern"


def _dest(kind: AttentionKind) -> str:
    return f"{kind}_attention_pattern"


def _parse(kind: AttentionKind, text: str) -> Pattern:
    try:
        is_json = text.lstrip().startswith("{")
        parsed = pattern(options_from_json(text, "the spec", SPEC) if is_json else text)
    except MaskplugError as error:
        raise OptionError(f"{_flag(kind)}: {error}") from error
    missing = [name for name in parsed.all_required_annotations if name not in AVAILABLE[kind]]
    if missing:
        attention = "cross attention" if kind == "cross" else f"the {kind}'s attention"
        raise OptionError(
            f"{_flag(kind)}: pattern {parsed} reads {', '.join(map(repr, missing))}, but in "
            f"fairseq {attention} has only {', '.join(map(repr, AVAILABLE[kind]))} of its tokens"
        )
    for clock in parsed.clocks:
        if not clock.is_static and not clock.needs_step:
            raise OptionError(
                f"{_flag(kind)}: pattern {parsed} has the clock {clock}, which counts epochs, but "
                "fairseq's models receive only the number of updates: use the clock step, or "
                "every(k=100,of=step)"
            )
    return parsed


def _updates(args: Any, patterns: Mapping[AttentionKind, Pattern]) -> int:
    option: int = getattr(args, "attention_pattern_updates", None) or 0
    if option < 0:
        raise OptionError(f"--attention-pattern-updates is {option}; it must be 1 or more")
    updates: int = option or getattr(args, "max_update", None) or 0
    for kind, parsed in patterns.items():
        if not updates and any(isinstance(part, Schedule) for part in parsed.parts):
            raise OptionError(
                f"{_flag(kind)}: pattern {parsed} has a schedule, but the number of updates is "
                "unknown: set --attention-pattern-updates or --max-update"
            )
    return updates


def _dry_run(kind: AttentionKind, config: AttentionConfig) -> None:
    """Refuse patterns that fail, or that would give other masks while a target is generated."""
    for progress in (0.0, 1.0):
        try:
            whole, *prefixes = (
                _visible(kind, config, length, progress) for length in range(CHECKED_LENGTH, 0, -1)
            )
        except MaskplugError as error:
            raise OptionError(f"{_flag(kind)}: {error}") from error
        if kind == "encoder":
            continue
        for prefix in prefixes:
            q_len, kv_len = prefix.shape[-2:]
            if (prefix != whole[..., :q_len, :kv_len]).any():
                raise OptionError(
                    f"{_flag(kind)}: the mask of pattern {config.patterns[kind]} depends on the "
                    "length of the target, which is unknown while the target is generated"
                )


def _visible(
    kind: AttentionKind, config: AttentionConfig, length: int, progress: float
) -> BoolArray:
    """Return the mask of a target of this length, True = visible."""
    kv_len = CHECKED_LENGTH if kind == "cross" else length
    sizes = {name: length if name == "valid_queries" else kv_len for name in AVAILABLE[kind]}
    annotations = {name: np.ones(size, np.int64) for name, size in sizes.items()}
    context = MaskingContext.at(config.seed, 0, 0, np.zeros(1, np.uint64), progress)
    call = AttentionCall(length, kv_len, context, attention_kind=kind, annotations=annotations)
    rows = config.patterns[kind].rows(call)
    return (rows & Causal().rows(call) if kind == "decoder" else rows).dense()


class _AttentionPatterns:
    """A mixin to place before one of fairseq's models."""

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


for _model, _names in ARCHITECTURES.items():
    for _name in _names:
        register_model_architecture(_model, f"maskplug_{_name}")(ARCH_CONFIG_REGISTRY[_name])
