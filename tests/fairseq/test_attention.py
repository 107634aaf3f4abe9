"""Models whose attention follows patterns: who sees whom, with padding and token by token."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import maskplug
from maskplug.attention import AttentionCall, Causal, Full, Intervals, Pattern
from support.fairseq_attention import (
    PAD,
    assert_beams_score_as_a_whole,
    build,
    changed,
    encode,
    following,
    padded,
    rows,
    run,
    step_by_step,
)
from support.fairseq_runs import Corpus

WAIT = {"encoder": "causal", "cross": "wait_k:k=2"}
PLACES = {
    "encoder": {"encoder": "window:left=2,right=1 | sink:n=1"},
    "decoder": {"decoder": "window:left=2 | sink:n=1"},
    "cross": {"cross": "wait_k:k=2"},
    "all": {**WAIT, "decoder": "window:left=3"},
}
ARCHITECTURES = ["maskplug_transformer", "maskplug_bart_base"]
TWO_LAYERS = ("--encoder-layers", "2", "--decoder-layers", "2")


@pytest.mark.parametrize("plain", ["transformer", "transformer_iwslt_de_en", "bart_base"])
def test_without_a_pattern_it_is_fairseq_s(corpus: Corpus, plain: str) -> None:
    theirs = build(corpus, arch=plain)
    ours = build(corpus, arch=f"maskplug_{plain}")
    source, target = padded(rows([9, 4]), left=True), padded(rows([6, 3], 1), left=False)
    assert {type(module) for module in ours.encoder.modules()} == {
        type(module) for module in theirs.encoder.modules()
    }
    for name, weight in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], weight)
    for training in (False, True):
        both = [run(model.train(training), source, target) for model in (theirs, ours)]
        assert torch.equal(*both)


@pytest.mark.parametrize("arch", ["transformer", "bart_base"])
def test_weights_fit_both_ways(corpus: Corpus, arch: str) -> None:
    theirs = build(corpus, arch=arch)
    ours = build(corpus, arch=f"maskplug_{arch}", **PLACES["all"])
    assert list(theirs.state_dict()) == list(ours.state_dict())
    assert all(torch.equal(theirs.state_dict()[k], v) for k, v in ours.state_dict().items())
    theirs.load_state_dict(ours.state_dict())
    ours.load_state_dict(theirs.state_dict())


def test_what_sees_everything_changes_nothing(corpus: Corpus) -> None:
    theirs = build(corpus, arch="transformer")
    ours = following(corpus, encoder=Full(), decoder=Causal(), cross=Full())
    source, target = padded(rows([9, 4]), left=True), padded(rows([6, 3], 1), left=False)
    real = target.ne(PAD)
    difference = run(theirs, source, target)[real] - run(ours, source, target)[real]
    assert difference.abs().max() < 1e-5


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_a_token_of_the_source_reaches_its_window(
    corpus: Corpus, left: bool, training: bool
) -> None:
    model = build(corpus, encoder="window:left=2,right=1").train(training)
    short, long = rows([9, 13])
    other = short.clone()
    other[4] = 3
    own = slice(4, None) if left else slice(9)
    before, after = (encode(model, padded([first, long], left))[:, own] for first in (short, other))
    assert changed(before, after) == [3, 4, 5, 6]


@pytest.mark.parametrize("place", [0, 3, 7])
def test_a_token_of_the_source_is_read_in_time(corpus: Corpus, place: int) -> None:
    model = build(corpus, *TWO_LAYERS, **WAIT)
    short, long = rows([9, 13])
    target = padded(rows([12, 12], 1), left=False)
    before = run(model, padded([short, long], True), target)
    other = short.clone()
    other[place] = 3
    after = run(model, padded([other, long], True), target)
    assert changed(before, after) == list(range(max(place - 1, 0), 12))


def test_a_token_of_the_target_reaches_its_window(corpus: Corpus) -> None:
    model = build(corpus, decoder="window:left=2")
    source, target = padded(rows([9]), left=True), padded(rows([10], 1), left=False)
    before = run(model, source, target)
    target[0, 3] = 3
    assert changed(before, run(model, source, target)) == [3, 4, 5]


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("place", PLACES)
def test_padding_changes_nothing(corpus: Corpus, arch: str, place: str) -> None:
    model = build(corpus, *TWO_LAYERS, arch=arch, **PLACES[place])
    sources, targets = rows([9, 13, 4]), rows([10, 5, 7], 1)
    left, right = (padded(sources, side) for side in (True, False))
    target = padded(targets, left=False)
    real = target.ne(PAD)
    together = run(model, left, target)
    assert (together - run(model, right, target))[real].abs().max() < 1e-5
    for number, (source, own) in enumerate(zip(sources, targets, strict=True)):
        alone = run(model, source[None], own[None])[0]
        assert (together[number, : len(own)] - alone).abs().max() < 1e-5
    moved = run(model, left, padded(targets, left=True))  # --left-pad-target
    assert (moved[padded(targets, left=True).ne(PAD)] - together[real]).abs().max() < 1e-5


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("place", PLACES)
def test_token_by_token_is_the_same(corpus: Corpus, arch: str, place: str) -> None:
    model = build(corpus, *TWO_LAYERS, arch=arch, **PLACES[place])
    source, target = padded(rows([9, 13, 4]), left=True), padded(rows([10, 5, 7], 1), left=False)
    difference = run(model, source, target) - step_by_step(model, source, target)
    assert difference[target.ne(PAD)].abs().max() < 1e-5


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_beam_search(corpus: Corpus, arch: str) -> None:
    model = build(corpus, *TWO_LAYERS, arch=arch, **PLACES["all"])
    assert_beams_score_as_a_whole(model, padded(rows([9, 13, 4, 8, 7, 9]), left=True))


def test_activation_checkpoints(corpus: Corpus) -> None:
    plain = build(corpus, *TWO_LAYERS, **PLACES["all"]).train()
    saving = build(corpus, *TWO_LAYERS, "--checkpoint-activations", **PLACES["all"]).train()
    source, target = padded(rows([9, 4]), left=True), padded(rows([6, 3], 1), left=True)
    gradients = []
    for model in (plain, saving):
        model(source, source.ne(PAD).sum(1), target)[0][target.ne(PAD)].sum().backward()
        gradients.append([w.grad for w in model.parameters()])
    for one, other in zip(*gradients, strict=True):
        assert torch.isfinite(one).all()
        assert torch.allclose(one, other, atol=1e-5)


def test_layers_that_are_dropped_keep_their_numbers(corpus: Corpus) -> None:
    flags = ("--encoder-layers", "4", "--encoder-layerdrop", "0.9")
    model = build(corpus, *flags, encoder="window:left=1").train()
    layers = [model.encoder.layers[n] for n in range(4)]
    assert [layer.self_attn.depth for layer in layers] == [0, 1, 2, 3]


class ByHead(Pattern):
    """Each query sees itself, and a key before it whose distance tells of head and layer."""

    def __init__(self) -> None:
        self.sites: list[tuple[int, int]] = []

    def rows(self, site: AttentionCall) -> Intervals:
        """Key q - 1 - head - layer, and key q."""
        self.sites.append((site.layer_idx, site.heads))
        heads = np.arange(site.heads)[None, :, None]
        far = site.q - 1 - heads - site.layer_idx
        return site.intervals((far, far + 1), (site.q, site.q + 1))


@pytest.mark.parametrize("training", [True, False])
def test_heads_and_layers_of_their_own(corpus: Corpus, training: bool) -> None:
    pattern = ByHead()
    model = following(corpus, *TWO_LAYERS, encoder=pattern).train(training)
    before = padded(rows([12]), left=True)
    after = before.clone()
    after[0, 4] = 3
    reached = changed(encode(model, before), encode(model, after))
    assert set(pattern.sites) == {(0, 2), (1, 2)}
    # the first layer: 4, 5 (head 0), 6 (head 1); the next: each of them, and those 2 and 3 on
    assert reached == [4, 5, 6, 7, 8, 9]


def test_attention_weights_tell_what_is_seen(corpus: Corpus) -> None:
    model = build(corpus, **WAIT)
    source, target = padded(rows([6]), left=True), padded(rows([5], 1), left=False)
    with torch.no_grad():
        extra: Any = model(source, torch.tensor([6]), target)[1]
    seen = maskplug.pattern("wait_k", k=2).dense(5, 6, attention_kind="cross")[0, 0]
    assert (extra["attn"][0][0] > 0).tolist() == seen.tolist()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(corpus: Corpus, dtype: torch.dtype) -> None:
    model = build(corpus, **PLACES["all"]).to(dtype)
    source, target = padded(rows([9, 4]), left=True), padded(rows([6, 3], 1), left=False)
    assert torch.isfinite(run(model, source, target)[target.ne(PAD)]).all()
    assert torch.isfinite(step_by_step(model, source, target)[target.ne(PAD)]).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_mixed_precision(corpus: Corpus, dtype: torch.dtype) -> None:
    model = build(corpus, *TWO_LAYERS, **PLACES["all"]).train()
    masks: list[torch.Tensor] = []
    attend = torch.nn.functional.scaled_dot_product_attention

    def noted(*args: Any, **kwargs: Any) -> torch.Tensor:
        masks.append(args[3])
        return attend(*args, **kwargs)

    source, target = padded(rows([9, 4]), left=True), padded(rows([6, 3], 1), left=False)
    with pytest.MonkeyPatch.context() as patch, torch.autocast("cpu", dtype):
        patch.setattr(torch.nn.functional, "scaled_dot_product_attention", noted)
        scores = model(source, source.ne(PAD).sum(1), target)[0]
    scores.float()[target.ne(PAD)].sum().backward()
    assert all(torch.isfinite(weight.grad).all() for weight in model.parameters())
    assert len(masks) == 4
    for mask in masks:  # no row is hidden as a whole, that of padding included
        assert torch.isfinite(mask.to(dtype)).any(-1).all()
