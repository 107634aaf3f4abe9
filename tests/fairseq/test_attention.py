"""Models with attention patterns: visible tokens, padding, decoding token by token, capture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import maskplug
from maskplug.attention import AttentionCall, Causal, Full, Intervals, Pattern
from maskplug_hf.attention import received
from support.fairseq_attention import (
    SECTION,
    assert_beam_scores,
    build,
    build_with,
    changed,
    encode,
    gradients,
    make_articles,
    pad,
    random_rows,
    run,
    run_stepwise,
)
from support.fairseq_data import PAD, Corpus

WAIT = {"encoder": "causal", "cross": "wait_k:k=2"}
ALL = {**WAIT, "decoder": "window:left=3"}
HEADS = "sentence(heads=true) | sink:n=1"
PATTERNS = {
    "encoder": {"encoder": "window:left=2,right=1 | sink:n=1"},
    "decoder": {"decoder": "window:left=2 | sink:n=1"},
    "cross": {"cross": "wait_k:k=2"},
    "all": ALL,
    "sentence heads": {"encoder": HEADS},
    "sentences": {"encoder": "sentence & window:left=2,right=2 | section"},
}
ARCHITECTURES = ["maskplug_transformer", "maskplug_bart_base"]
TWO_LAYERS = ("--encoder-layers", "2", "--decoder-layers", "2")
#: Tokens 0-3, the section's 4-7, and 8-11 with the end of sequence.
TEXT = "▁w1 ▁w2 ▁w3 . <sec> ▁w4 ▁w5 ? ▁w6 ▁w7 ."


@pytest.fixture(scope="module")
def articles(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return make_articles(tmp_path_factory.mktemp("articles"))


def encoded_text(corpus: Corpus, text: str) -> torch.Tensor:
    ids: torch.Tensor = corpus.dictionary("source").encode_line(text, add_if_not_exist=False)
    return ids.long()


def batch(articles: Corpus, name: str, left: bool = True) -> tuple[Any, Any, Any, Any]:
    """Return sources and targets as rows, and padded."""
    sources = random_rows(9, 13, 4)
    if "sentence" in name:
        texts = (TEXT, "▁w5 .", TEXT.replace("?", "▁w8 . ▁w1"))
        sources = [encoded_text(articles, text) for text in texts]
    targets = random_rows(10, 5, 7, seed=1)
    return sources, targets, pad(sources, left), pad(targets, left=False)


@pytest.mark.parametrize("arch", ["transformer", "transformer_iwslt_de_en", "bart_base"])
def test_models_without_patterns_equal_those_of_fairseq(corpus: Corpus, arch: str) -> None:
    models = [build(corpus, arch=name) for name in (arch, f"maskplug_{arch}")]
    source, target = pad(random_rows(9, 4), True), pad(random_rows(6, 3, seed=1), False)
    types = [{type(module) for module in model.encoder.modules()} for model in models]
    assert types[0] == types[1]
    assert_equal_parameters(*models)
    for training in (False, True):
        assert torch.equal(*(run(model.train(training), source, target) for model in models))


def assert_equal_parameters(model: Any, other: Any) -> None:
    parameters = other.state_dict()
    assert list(model.state_dict()) == list(parameters)
    assert all(torch.equal(value, parameters[n]) for n, value in model.state_dict().items())


@pytest.mark.parametrize(
    ("arch", "patterns"), [("transformer", ALL), ("bart_base", {"encoder": HEADS})]
)
def test_parameters_are_those_of_fairseq(
    articles: Corpus, arch: str, patterns: dict[str, str]
) -> None:
    plain = build(articles, arch=arch)
    model = build(articles, *SECTION, arch=f"maskplug_{arch}", **patterns)
    assert_equal_parameters(model, plain)
    plain.load_state_dict(model.state_dict())
    model.load_state_dict(plain.state_dict())


def test_patterns_that_hide_nothing_change_nothing(corpus: Corpus) -> None:
    plain = build(corpus, arch="transformer")
    model = build_with(corpus, encoder=Full(), decoder=Causal(), cross=Full())
    source, target = pad(random_rows(9, 4), True), pad(random_rows(6, 3, seed=1), False)
    difference = run(plain, source, target) - run(model, source, target)
    assert difference[target.ne(PAD)].abs().max() < 1e-5


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("encoder", "token", "reached"),
    [
        ("window:left=2,right=1", 4, [3, 4, 5, 6]),
        ("sentence", 1, [0, 1, 2, 3]),
        ("sentence", 4, [4, 5, 6, 7]),
        ("sentence", 9, [8, 9, 10, 11]),
        ("sentence & window:left=1,right=1", 2, [1, 2, 3]),
        ("section", 1, [0, 1, 2, 3]),
        ("section", 6, [4, 5, 6, 7, 8, 9, 10, 11]),
        ("section", 4, list(range(12))),
        (HEADS, 0, list(range(12))),
        (HEADS, 4, list(range(12))),
        (HEADS, 5, [4, 5, 6, 7]),
    ],
)
def test_source_tokens_reach_their_window_and_sentence(
    articles: Corpus, left: bool, training: bool, encoder: str, token: int, reached: list[int]
) -> None:
    model = build(articles, *SECTION, encoder=encoder).train(training)
    text, longer = (encoded_text(articles, x) for x in (TEXT, f"▁w5 . {TEXT}"))
    table = pad([text, longer], left)
    first = len(longer) - len(text) if left else 0
    with torch.no_grad():
        embedded = model.encoder.embed_tokens(table)
        outputs = []
        for change in (0, 1):
            embedded[0, first + token] += change
            outputs.append(model.encoder(table, token_embeddings=embedded)["encoder_out"][0])
    before, after = (out.transpose(0, 1)[:, first : first + len(text)] for out in outputs)
    assert changed(before, after) == reached


@pytest.mark.parametrize("token", [0, 3, 7])
def test_source_tokens_reach_targets_after_the_wait(corpus: Corpus, token: int) -> None:
    model = build(corpus, *TWO_LAYERS, **WAIT)
    short, long = random_rows(9, 13)
    target = pad(random_rows(12, 12, seed=1), False)
    before = run(model, pad([short, long], True), target)
    short[token] = 3
    after = run(model, pad([short, long], True), target)
    assert changed(before, after) == list(range(max(token - 1, 0), 12))


def test_target_tokens_reach_their_window(corpus: Corpus) -> None:
    model = build(corpus, decoder="window:left=2")
    source, target = pad(random_rows(9), True), pad(random_rows(10, seed=1), False)
    before = run(model, source, target)
    target[0, 3] = 3
    assert changed(before, run(model, source, target)) == [3, 4, 5]


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("name", PATTERNS)
def test_padding_and_stepwise_decoding_do_not_change_scores(
    articles: Corpus, arch: str, name: str
) -> None:
    model = build(articles, *TWO_LAYERS, *SECTION, arch=arch, **PATTERNS[name])
    sources, targets, source, target = batch(articles, name)
    real = target.ne(PAD)
    together = run(model, source, target)
    assert (together - run_stepwise(model, source, target))[real].abs().max() < 1e-5
    right = pad(sources, False)
    assert (together - run(model, right, target))[real].abs().max() < 1e-5
    encoded = encode(model, source)[source.ne(PAD)] - encode(model, right)[right.ne(PAD)]
    assert encoded.abs().max() < 1e-5
    for i, (row, target_row) in enumerate(zip(sources, targets, strict=True)):
        alone = run(model, row[None], target_row[None])[0]
        assert (together[i, : len(target_row)] - alone).abs().max() < 1e-5
    left_target = pad(targets, True)  # --left-pad-target
    moved = run(model, source, left_target)[left_target.ne(PAD)]
    assert (moved - together[real]).abs().max() < 1e-5


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_beam_search(corpus: Corpus, arch: str) -> None:
    model = build(corpus, *TWO_LAYERS, arch=arch, **ALL)
    assert_beam_scores(model, pad(random_rows(9, 13, 4, 8, 7, 9), True))


def test_beam_search_with_sentences(articles: Corpus) -> None:
    texts = [TEXT, TEXT, "▁w5 .", "▁w5 . ▁w2 ?", "▁w6 ▁w7 .", TEXT.replace("?", ".")]
    model = build(articles, *SECTION, encoder=HEADS)
    assert_beam_scores(model, pad([encoded_text(articles, x) for x in texts], True))


@pytest.mark.parametrize("name", ["all", "sentence heads"])
def test_activation_checkpoints(articles: Corpus, name: str) -> None:
    _, targets, source, _ = batch(articles, name)
    target = pad(targets, True)
    plain, saving = (
        gradients(
            build(articles, *TWO_LAYERS, *SECTION, *flags, **PATTERNS[name]).train(), source, target
        )
        for flags in ((), ("--checkpoint-activations",))
    )
    for gradient, other in zip(plain, saving, strict=True):
        assert torch.isfinite(gradient).all()
        assert torch.allclose(gradient, other, atol=1e-5)


def test_layer_drop_keeps_layer_numbers(corpus: Corpus) -> None:
    flags = ("--encoder-layers", "4", "--encoder-layerdrop", "0.9")
    model = build(corpus, *flags, encoder="window:left=1").train()
    layers = [model.encoder.layers[n] for n in range(4)]
    assert [layer.self_attn.layer_idx for layer in layers] == [0, 1, 2, 3]


class ByHead(Pattern):
    """Each query attends to itself and to the key at distance 1 + head + layer."""

    reads_layer_idx = True

    def __init__(self) -> None:
        self.calls: list[tuple[int, int]] = []

    def rows(self, call: AttentionCall) -> Intervals:
        """Return the key q - 1 - head - layer, and key q."""
        self.calls.append((call.layer_idx, call.heads))
        heads = np.arange(call.heads)[None, :, None]
        far = call.q - 1 - heads - call.layer_idx
        return call.intervals((far, far + 1), (call.q, call.q + 1))


@pytest.mark.parametrize("training", [True, False])
def test_patterns_may_differ_by_head_and_layer(corpus: Corpus, training: bool) -> None:
    pattern = ByHead()
    model = build_with(corpus, *TWO_LAYERS, encoder=pattern).train(training)
    before = pad(random_rows(12), True)
    after = before.clone()
    after[0, 4] = 3
    reached = changed(encode(model, before), encode(model, after))
    assert set(pattern.calls) == {(0, 2), (1, 2)}
    # layer 0: 4, 5 (head 0), 6 (head 1); layer 1: each of them, and those 2 and 3 further on
    assert reached == [4, 5, 6, 7, 8, 9]


def test_attention_weights_of_hidden_tokens_are_zero(corpus: Corpus) -> None:
    model = build(corpus, **WAIT)
    source, target = pad(random_rows(6), True), pad(random_rows(5, seed=1), False)
    with torch.no_grad():
        extra: Any = model(source, torch.tensor([6]), target)[1]
    visible = maskplug.pattern("wait_k", k=2).dense(5, 6, attention_kind="cross")[0, 0]
    assert (extra["attn"][0][0] > 0).tolist() == visible.tolist()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(corpus: Corpus, dtype: torch.dtype) -> None:
    model = build(corpus, **ALL).to(dtype)
    source, target = pad(random_rows(9, 4), True), pad(random_rows(6, 3, seed=1), False)
    for compute in (run, run_stepwise):
        assert torch.isfinite(compute(model, source, target)[target.ne(PAD)]).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_mixed_precision(corpus: Corpus, dtype: torch.dtype) -> None:
    model = build(corpus, *TWO_LAYERS, **ALL).train()
    masks: list[torch.Tensor] = []
    attend = torch.nn.functional.scaled_dot_product_attention

    def recorded(*args: Any, **kwargs: Any) -> torch.Tensor:
        masks.append(args[3])
        return attend(*args, **kwargs)

    source, target = pad(random_rows(9, 4), True), pad(random_rows(6, 3, seed=1), False)
    with pytest.MonkeyPatch.context() as patch, torch.autocast("cpu", dtype):
        patch.setattr(torch.nn.functional, "scaled_dot_product_attention", recorded)
        scores = model(source, source.ne(PAD).sum(1), target)[0]
    scores.float()[target.ne(PAD)].sum().backward()
    assert all(torch.isfinite(weight.grad).all() for weight in model.parameters())
    assert len(masks) == 4
    for mask in masks:  # no row is hidden completely, not even those of padding
        assert torch.isfinite(mask.to(dtype)).any(-1).all()


@pytest.mark.parametrize("training", [False, True])
def test_masks_can_be_captured(corpus: Corpus, training: bool) -> None:
    model = build(corpus, *TWO_LAYERS, arch="transformer").train(training)
    source = torch.tensor([[5, 6, 7, 2], [1, 1, 5, 2]])  # fairseq pads sources on the left
    target = torch.tensor([[2, 8, 9], [2, 8, 9]])
    lengths = torch.tensor([4, 2])
    masks = received(model, src_tokens=source, src_lengths=lengths, prev_output_tokens=target)
    decoder = [("decoder", 0), ("cross", 0), ("decoder", 1), ("cross", 1)]
    calls = [(mask.attention_kind, mask.layer_idx) for mask in masks]
    assert calls == [("encoder", 0), ("encoder", 1), *decoder]
    visible = (source != 1)[:, None, None].numpy()
    expected = {"encoder": visible, "cross": visible, "decoder": np.tri(3, dtype=bool)}
    for mask in masks:
        assert (mask.mask == expected[mask.attention_kind]).all()
        q_len, kv_len = (4 if mask.attention_kind == "encoder" else 3), len(mask.mask[0, 0, 0])
        assert mask.mask.shape == (2, 1, q_len, kv_len)
