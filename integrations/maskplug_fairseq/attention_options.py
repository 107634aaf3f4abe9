"""The options of architectures with attention patterns, checked before a model is built."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from fairseq.models.transformer import TransformerEncoder
from omegaconf import OmegaConf, open_dict

from maskplug import OptionError, Rng, TokenBatch
from maskplug.attention import AttentionCall, Causal, Pattern, pattern
from maskplug.attention.call import AttentionKind
from maskplug.context import MaskingContext
from maskplug.errors import MaskplugError, did_you_mean
from maskplug.parts import Schedule
from maskplug.spec import options_from_json, to_json
from maskplug.types import BoolArray
from maskplug.vocabulary.spelling import MARK
from maskplug_fairseq.attention import Masks
from maskplug_fairseq.vocabulary import vocabulary

SENTENCES, SECTIONS = "sentence_starts", "section_starts"


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
    finder = _start_finder(args, patterns.get("encoder"), dictionary)
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


def _start_finder(args: Any, parsed: Pattern | None, dictionary: Any) -> StartFinder | None:
    if parsed is None or not {SENTENCES, SECTIONS} & set(parsed.all_required_annotations):
        return None
    try:
        return StartFinder(
            dictionary,
            parsed.all_required_annotations,
            getattr(args, "section_token", None) or None,
        )
    except OptionError as error:
        raise OptionError(f"--encoder-attention-pattern is {parsed}: {error}") from error


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
