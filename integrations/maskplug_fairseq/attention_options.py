"""The options of the architectures with attention patterns, checked before a model is built."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from omegaconf import OmegaConf, open_dict

from maskplug import OptionError, Rng
from maskplug.attention import AttentionCall, AttentionKind, Causal, Pattern, pattern
from maskplug.context import MaskingContext
from maskplug.errors import MaskplugError
from maskplug.parts import Schedule
from maskplug.spec import options_from_json, to_json
from maskplug.types import BoolArray
from maskplug_fairseq.attention_tokens import SECTIONS, SENTENCES, Reader

PLACES: tuple[AttentionKind, ...] = get_args(AttentionKind)
#: What the attention of each place knows of its tokens.
KNOWN: dict[AttentionKind, tuple[str, ...]] = {
    "encoder": ("valid", SENTENCES, SECTIONS),
    "decoder": ("valid",),
    "cross": ("valid", "valid_queries"),
}

#: What a spec looks like, for messages.
SPEC = '{"name": "window", "left": 8}'

#: Up to which length a pattern is tried out.
TRIED = 24


@dataclass(frozen=True)
class AttentionPlan:
    """Who may see whom in a model.

    Attributes:
        patterns: of the places that have one.
        seed: of patterns that draw.
        updates: how many updates schedules take from their start to their end.
        reader: of the encoder's tokens, where its pattern needs to know more than padding.
    """

    patterns: Mapping[AttentionKind, Pattern]
    seed: int = 0
    updates: int = 0
    reader: Reader | None = None


def add_attention_args(parser: ArgumentParser) -> None:
    """Add the options to a model's group of a parser."""
    what: dict[AttentionKind, str] = {
        "encoder": "the encoder's self-attention",
        "decoder": "the decoder's self-attention, which stays causal",
        "cross": "cross attention, from the decoder's tokens to the encoder's",
    }
    for place in PLACES:
        parser.add_argument(
            _flag(place),
            metavar="PATTERN",
            help=f"who may see whom in {what[place]}: an expression such as "
            "'window:left=8,right=8 | sink:n=1', or a pattern's spec as JSON; see 'maskplug list'",
        )
    parser.add_argument(
        "--attention-pattern-seed",
        type=int,
        metavar="N",
        help="seed of patterns that draw, from 0 to 2**64 - 1; no other seed counts",
    )
    parser.add_argument(
        "--attention-pattern-updates",
        type=int,
        metavar="N",
        help="updates over which schedules in patterns run from start to end; --max-update unless "
        "it is given",
    )
    parser.add_argument(
        "--section-token",
        metavar="TOKEN",
        help="the token of the source dictionary with which each section begins, for the encoder's "
        "patterns that read sections",
    )


def attention_plan(args: Any, dictionary: Any) -> AttentionPlan:
    """What the options ask for; specs take the places of expressions, so that checkpoints pin them.

    Args:
        args: a model's options: a namespace or a ``DictConfig``, which is changed.
        dictionary: of the sources.

    Raises:
        OptionError: naming the option and what is wrong with it.
    """
    texts = {place: getattr(args, _dest(place), None) for place in PLACES}
    patterns = {place: _read(place, text) for place, text in texts.items() if text}
    seed = getattr(args, "attention_pattern_seed", None) or 0
    try:
        Rng.at(seed, 0, [])
    except OptionError as error:
        raise OptionError(f"--attention-pattern-seed: {error}") from error
    reader = _reader(args, patterns, dictionary)
    plan = AttentionPlan(patterns, seed, _updates(args, patterns), reader)
    for place in patterns:
        _try_out(place, plan)
    with open_dict(args) if OmegaConf.is_config(args) else nullcontext():
        for place, made in patterns.items():
            setattr(args, _dest(place), to_json(made.spec))
    return plan


def _flag(place: AttentionKind) -> str:
    return f"--{place}-attention-pattern"


def _dest(place: AttentionKind) -> str:
    return f"{place}_attention_pattern"


def _read(place: AttentionKind, text: str) -> Pattern:
    try:
        json = text.lstrip().startswith("{")
        made = pattern(options_from_json(text, "the spec", SPEC) if json else text)
    except MaskplugError as error:
        raise OptionError(f"{_flag(place)}: {error}") from error
    missing = [name for name in made.all_required_annotations if name not in KNOWN[place]]
    if missing:
        where = "cross attention" if place == "cross" else f"the {place}'s attention"
        raise OptionError(
            f"{_flag(place)}: pattern {made} reads {', '.join(map(repr, missing))}, and in fairseq "
            f"{where} knows only {', '.join(map(repr, KNOWN[place]))} of its tokens"
        )
    deaf = [clock for clock in made.clocks if not clock.is_static and not clock.needs_step]
    if deaf:
        raise OptionError(
            f"{_flag(place)}: pattern {made} has the clock {deaf[0]}, which counts epochs; fairseq "
            "tells its models the number of updates only: use the clock step, or "
            "every(k=100,of=step)"
        )
    return made


def _reader(args: Any, patterns: Mapping[AttentionKind, Pattern], dictionary: Any) -> Reader | None:
    """What reads the encoder's tokens; None if its pattern asks for nothing of them."""
    if "encoder" not in patterns:
        return None
    read = patterns["encoder"].all_required_annotations
    if SENTENCES not in read and SECTIONS not in read:
        return None
    try:
        return Reader(dictionary, read, getattr(args, "section_token", None) or None)
    except OptionError as error:
        who = f"{_flag('encoder')} is {patterns['encoder']}"
        raise OptionError(f"{who}: {error}") from error


def _updates(args: Any, patterns: Mapping[AttentionKind, Pattern]) -> int:
    given: int = getattr(args, "attention_pattern_updates", None) or 0
    if given < 0:
        raise OptionError(f"--attention-pattern-updates is {given}; it must be 1 or more")
    updates: int = given or getattr(args, "max_update", None) or 0
    for place, made in patterns.items():
        if not updates and any(isinstance(part, Schedule) for part in made.parts):
            raise OptionError(
                f"{_flag(place)}: pattern {made} has a schedule, and it is unknown how many "
                "updates that takes: give --attention-pattern-updates or --max-update"
            )
    return updates


def _try_out(place: AttentionKind, plan: AttentionPlan) -> None:
    """Fail now where the first batch would fail, or where decoding would see another mask."""
    for progress in (0.0, 1.0):
        try:
            whole = _seen(place, plan, TRIED, progress)
            cut = [_seen(place, plan, length, progress) for length in range(1, TRIED)]
        except MaskplugError as error:
            raise OptionError(f"{_flag(place)}: {error}") from error
        if place == "encoder":
            continue
        for seen in cut:
            queries, keys = seen.shape[-2:]
            if (seen != whole[..., :queries, :keys]).any():
                raise OptionError(
                    f"{_flag(place)}: what pattern {plan.patterns[place]} shows depends on the "
                    "length of the target, which is unknown while the target is generated"
                )


def _seen(place: AttentionKind, plan: AttentionPlan, length: int, progress: float) -> BoolArray:
    """What the first sample's first tokens see where the target has this length."""
    keys = TRIED if place == "cross" else length
    sizes = {name: length if name == "valid_queries" else keys for name in KNOWN[place]}
    layers = {name: np.ones(size, np.int64) for name, size in sizes.items()}
    context = MaskingContext.at(plan.seed, 0, 0, np.zeros(1, np.uint64), progress)
    site = AttentionCall(length, keys, context, attention_kind=place, annotations=layers)
    rows = plan.patterns[place].rows(site)
    return (rows & Causal().rows(site) if place == "decoder" else rows).dense()
