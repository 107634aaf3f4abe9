"""Wrong patterns fail before a model is built; messages have the option, value and remedy."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from fairseq.data import Dictionary
from fairseq.models import ARCH_MODEL_REGISTRY
from omegaconf import OmegaConf

import maskplug
from maskplug.attention import AttentionCall, Intervals, Pattern
from maskplug.errors import OptionError
from maskplug_fairseq import models
from maskplug_fairseq.attention import StartFinder
from maskplug_fairseq.models import ARCHITECTURES, parse_attention_args
from support.fairseq_attention import SECTION, build, make_articles
from support.fairseq_data import Corpus, dictionary

GROWING = "window:left=linear(2,8)"
WAIT = {"cross": "wait_k:k=3"}
NO_FULL_STOP = "--encoder-.*'sentence_starts'.*full stop.*GPT-2"
NO_SECTION = "--encoder-.*'section_starts'.*--section-token"
BAD: list[tuple[dict[str, str], Sequence[str], str]] = [
    ({"encoder": "windw:left=2"}, (), "--encoder-.*'windw'.*did you mean 'window'"),
    ({"decoder": "window:lft=2"}, (), "--decoder-.*no option 'lft'.*'left'"),
    ({"encoder": "window:left=-2"}, (), "--encoder-.*'left' is -2"),
    ({"cross": "wait_k:k=3 &"}, (), "--cross-.*cannot be read"),
    ({"encoder": '{"name" "window"}'}, (), "--encoder-.*not valid JSON"),
    ({"encoder": '{"left": 2}'}, (), "--encoder-.*name"),
    ({"encoder": "document"}, (), "--encoder-.*'documents'.*only 'valid', 'sentence_starts'"),
    ({"cross": "wait_k:k=3 | aligned"}, (), "--cross-.*'valid', 'valid_queries'"),
    ({"encoder": "wait_k:k=3"}, (), "--encoder-.*wait_k.*cross"),
    ({"cross": "wait_k(k=1,most=4,clock=epoch)"}, (), "Epoch.*every.*of=step"),
    ({"encoder": GROWING}, (), "--attention-pattern-updates or --max-update"),
    (WAIT, ("--attention-pattern-seed", "-1"), "--attention-pattern-seed: seed is -1"),
    (WAIT, ("--attention-pattern-updates", "-5"), "--attention-pattern-updates is -5"),
    (WAIT, ("--no-cross-attention",), "--cross-attention-pattern.*--no-cross-attention"),
    (
        WAIT,
        ("--no-cross-attention", "--cross-self-attention"),
        "--cross-self-attention.*no --decoder-attention-pattern",
    ),
    ({"decoder": "sentence"}, (), "--decoder-.*'sentence_starts'.*only 'valid'"),
    ({"encoder": "sentence"}, ("--section-token", "</s>"), NO_FULL_STOP),
    ({"encoder": "sentence | sink:n=2"}, ("--section-token", "</s>"), NO_FULL_STOP),
    ({"encoder": "sentence:heads=true"}, ("--section-token", "</s>"), NO_FULL_STOP),
    ({"encoder": "section"}, (), NO_SECTION),
    ({"encoder": "sentence(heads=true) | sink:n=1"}, (), NO_SECTION),
]


@pytest.mark.parametrize(("patterns", "flags", "message"), BAD)
def test_wrong_options(
    corpus: Corpus, patterns: dict[str, str], flags: Sequence[str], message: str
) -> None:
    with pytest.raises(OptionError, match=f"(?s){message}"):
        build(corpus, *flags, **patterns)


def test_an_unknown_section_token(tmp_path: Any) -> None:
    articles = make_articles(tmp_path)
    build(articles, *SECTION, encoder="section")
    with pytest.raises(OptionError, match=r"--section-token.*'<sce>'.*did you mean '<sec>'"):
        build(articles, "--section-token", "<sce>", encoder="section")


class Halves(Pattern):
    """The first half of the target sees only itself."""

    def rows(self, call: AttentionCall) -> Intervals:
        """Return the keys of the same half."""
        lengths = call.query_lengths if call.cross else call.lengths
        half = lengths[:, None, None] // 2
        first = call.q < half
        return call.intervals((np.where(first, 0, half), np.where(first, half, call.kv_len)))


@pytest.mark.parametrize("kind", ["decoder", "cross"])
def test_masks_must_not_depend_on_the_target_length(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "pattern", lambda text: Halves())
    with pytest.raises(OptionError, match=f"--{kind}-.*length of the target.*unknown"):
        parse_attention_args(Namespace(**{f"{kind}_attention_pattern": "halves"}), Dictionary())


def test_expressions_and_specs(corpus: Corpus) -> None:
    pattern = maskplug.pattern("window:left=2,right=1 | sink:n=1")
    parts = '{"name": "window", "left": 2, "right": 1}, {"name": "sink", "n": 1}'
    for text in (str(pattern), f'{{"name": "or", "patterns": [{parts}]}}'):
        model = build(corpus, encoder=text)
        assert model.encoder.layers[0].self_attn.masks.pattern == pattern


def test_options_become_pinned_specs() -> None:
    options = {"encoder_attention_pattern": "window:left=2"}
    structured = OmegaConf.create(options)
    OmegaConf.set_struct(structured, True)
    for args in (Namespace(**options), structured):
        config = parse_attention_args(args, Dictionary())
        assert args.encoder_attention_pattern == '{"left":2,"name":"window@1","right":0}'
        assert parse_attention_args(args, Dictionary()) == config


def test_models_without_the_options() -> None:
    assert not parse_attention_args(Namespace(), Dictionary()).patterns


def test_updates_of_schedules(corpus: Corpus) -> None:
    for flags, updates in (
        (("--max-update", "9"), 9),
        (("--attention-pattern-updates", "9"), 9),
        (("--max-update", "9", "--attention-pattern-updates", "5"), 5),
    ):
        model = build(corpus, *flags, encoder=GROWING)
        assert model.encoder.layers[0].self_attn.masks.updates == updates


def test_architectures_are_registered() -> None:
    for names in ARCHITECTURES.values():
        assert {f"maskplug_{name}" for name in names} <= set(ARCH_MODEL_REGISTRY)


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("a . a a ? a", [0, 0, 1, 0, 0, 1]),
        ("a ? . a", [0, 0, 0, 1]),
        ("a . </s> a </s>", [0, 0, 0, 1, 0]),
        ("<pad> <pad> a . a", [0, 0, 0, 0, 1]),
        ("a . <pad> <pad>", [0, 0, 1, 0]),
    ],
)
def test_starts_of_sentences(text: str, starts: list[int]) -> None:
    assert starts_in(text, "sentence_starts")["sentence_starts"][1:] == starts[1:]


def test_sections_start_sentences() -> None:
    starts = starts_in("a <sec> a . a <sec> a", "sentence_starts", "section_starts", token="<sec>")
    assert starts["section_starts"] == [0, 1, 0, 0, 0, 1, 0]
    assert starts["sentence_starts"][1:] == [1, 0, 0, 1, 1, 0]


def starts_in(text: str, *names: str, token: str | None = None) -> dict[str, list[int]]:
    words = dictionary("a", ".", "?", "<sec>")
    ids = words.encode_line(text, add_if_not_exist=False, append_eos=False).long()[None]
    starts = StartFinder(words, names, token)(ids)
    return {name: array[0].astype(int).tolist() for name, array in starts.items()}
