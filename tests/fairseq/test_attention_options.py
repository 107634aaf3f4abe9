"""Wrong patterns are refused before a model is built, with the option, the value and a way out."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

import numpy as np
import pytest
from fairseq.data import Dictionary
from fairseq.models import ARCH_MODEL_REGISTRY
from omegaconf import OmegaConf

import maskplug
from maskplug.attention import AttentionCall, Intervals, Pattern
from maskplug.errors import OptionError
from maskplug_fairseq import attention_options
from maskplug_fairseq.attention_options import attention_plan
from maskplug_fairseq.models import ARCHITECTURES, register_architectures
from support.fairseq_attention import build, flags_of
from support.fairseq_runs import Corpus

GROWING = "window:left=linear(2,8)"
BAD = {
    "name": ({"encoder": "windw:left=2"}, "--encoder-.*'windw'.*did you mean 'window'"),
    "option": ({"decoder": "window:lft=2"}, "--decoder-.*no option 'lft'.*'left'"),
    "negative": ({"encoder": "window:left=-2"}, "--encoder-.*'left' is -2"),
    "syntax": ({"cross": "wait_k:k=3 &"}, "--cross-.*cannot be read"),
    "json": ({"encoder": '{"name" "window"}'}, "--encoder-.*not valid JSON"),
    "spec": ({"encoder": '{"left": 2}'}, "--encoder-.*name"),
    "documents": (
        {"encoder": "document"},
        "--encoder-.*'documents'.*only 'valid', 'sentence_starts'",
    ),
    "inside": ({"cross": "wait_k:k=3 | aligned"}, "--cross-.*'valid', 'valid_queries'"),
    "place": ({"encoder": "wait_k:k=3"}, "--encoder-.*wait_k.*cross"),
    "epochs": ({"cross": "wait_k(k=1,most=4,clock=epoch)"}, "Epoch.*every.*of=step"),
    "schedule": ({"encoder": GROWING}, "--attention-pattern-updates or --max-update"),
}


@pytest.mark.parametrize("case", BAD)
def test_patterns(corpus: Corpus, case: str) -> None:
    patterns, message = BAD[case]
    with pytest.raises(OptionError, match=f"(?s){message}"):
        build(corpus, **patterns)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--attention-pattern-seed", "-1"), "--attention-pattern-seed: seed is -1"),
        (("--attention-pattern-updates", "-5"), "--attention-pattern-updates is -5"),
        (("--no-cross-attention",), "--cross-attention-pattern with --no-cross-attention"),
        (
            ("--no-cross-attention", "--cross-self-attention"),
            "--cross-self-attention.*no --decoder-attention-pattern",
        ),
    ],
)
def test_what_does_not_go_together(corpus: Corpus, flags: tuple[str, ...], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        build(corpus, *flags, cross="wait_k:k=3")


class Halves(Pattern):
    """Who is in the first half of the target sees only that."""

    def rows(self, site: AttentionCall) -> Intervals:
        """Keys of the same half."""
        lengths = site.query_lengths if site.cross else site.lengths
        half = lengths[:, None, None] // 2
        first = site.q < half
        return site.intervals((np.where(first, 0, half), np.where(first, half, site.kv_len)))


@pytest.mark.parametrize("place", ["decoder", "cross"])
def test_a_mask_that_decoding_could_not_see(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention_options, "pattern", lambda text: Halves())
    with pytest.raises(OptionError, match=f"--{place}-.*length of the target.*unknown"):
        attention_plan(Namespace(**{f"{place}_attention_pattern": "halves"}), Dictionary())


def test_specs_and_expressions_are_the_same(corpus: Corpus) -> None:
    given = maskplug.pattern("window:left=2,right=1 | sink:n=1")
    for text in (str(given), '{"name": "or", "patterns": [%s, %s]}'):
        parts = '{"name": "window", "left": 2, "right": 1}', '{"name": "sink", "n": 1}'
        model = build(corpus, encoder=text % parts if "%" in text else text)
        assert model.encoder.layers[0].self_attn.masks.pattern == given


def test_options_pin_what_they_mean() -> None:
    for make in (lambda **given: Namespace(**given), lambda **given: structured(given)):
        args = make(encoder_attention_pattern="window:left=2")
        attention_plan(args, Dictionary())
        assert args.encoder_attention_pattern == '{"left":2,"name":"window@1","right":0}'
        assert attention_plan(args, Dictionary()) == attention_plan(args, Dictionary())


def structured(given: dict[str, Any]) -> Any:
    config = OmegaConf.create(given)
    OmegaConf.set_struct(config, True)
    return config


def test_old_models_have_no_patterns() -> None:
    assert not attention_plan(Namespace(), Dictionary()).patterns


def test_schedules_follow_max_update(corpus: Corpus) -> None:
    for flags in (("--max-update", "9"), ("--attention-pattern-updates", "9")):
        masks = build(corpus, *flags, encoder=GROWING).encoder.layers[0].self_attn.masks
        assert masks.updates == 9
    both = ("--max-update", "9", "--attention-pattern-updates", "5")
    assert build(corpus, *both, encoder=GROWING).encoder.layers[0].self_attn.masks.updates == 5


def test_every_architecture_is_there_once() -> None:
    register_architectures()
    for names in ARCHITECTURES.values():
        assert {f"maskplug_{name}" for name in names} <= set(ARCH_MODEL_REGISTRY)
    assert flags_of(encoder="full") == ["--encoder-attention-pattern", "full"]
