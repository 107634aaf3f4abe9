"""Flex attention equals sdpa, without computing the matrix."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch.nn.attention.flex_attention import BlockMask, create_mask

from maskplug.attention import Intervals
from maskplug.errors import MaskplugWarning, OptionError
from maskplug_hf.attention import interface, masks, model_mask, use_attention
from support import attention_models as tiny
from support.attention_models import GREEDY, WIDE, prompts, sources, texts

SMALL = ["modernbert", "llama"]
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
pytestmark = [
    pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile"),
    pytest.mark.filterwarnings("ignore:the 'decoder' pattern hides no key that"),
]


@pytest.fixture(autouse=True)
def inference() -> Iterator[None]:
    """On the CPU, flex attention has no gradients."""
    with torch.no_grad():
        yield


def sdpa_and_flex(
    model: Any, inputs: dict[str, Any], **options: Any
) -> tuple[torch.Tensor, torch.Tensor]:
    """The logits of both backends."""
    logits = []
    for backend in ("sdpa", "flex"):
        with use_attention(model, backend=backend, **options):
            logits.append(model(**inputs).logits)
    return logits[0], logits[1]


PATTERNS = [
    "window:left=2,right=1",
    "document",
    "sink:n=1 | window:left=1,right=1",
    "dilated:left=2,right=2,dilation=2",
    "~sink:n=2",
]


@pytest.mark.filterwarnings("ignore:the .* pattern hides every key")
@pytest.mark.parametrize("keep_own", [True, False])
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in SMALL else pytest.mark.slow)
        for name in (*tiny.ENCODERS, *tiny.DECODERS)
    ],
)
def test_flex_equals_sdpa(name: str, side: str, keep_own: bool) -> None:
    model, inputs = tiny.model(name), tiny.batch(name, side)
    plain, real = model(**inputs).logits, tiny.real(name, inputs)
    inputs["document_ids"] = torch.tensor([[1] * 4 + [2] * 5, [1] * 5 + [2] * 4])
    for text in PATTERNS:
        sdpa, flex_logits = sdpa_and_flex(model, inputs, pattern=text, keep_own=keep_own)
        assert tiny.distance(sdpa, flex_logits, real) < 1e-4, text
        assert tiny.distance(plain, flex_logits, real) > 1e-4, text


@pytest.mark.filterwarnings("ignore:pattern .* its time was never set")
@pytest.mark.parametrize("pattern", [tiny.ByLayer(), tiny.RandomKeys(each=True)])
@pytest.mark.parametrize("name", ["bert", "llama"])
def test_layers_and_heads_may_differ(name: str, pattern: Any) -> None:
    model, inputs = tiny.model(name), tiny.batch(name)
    keys = {"sample_keys": torch.tensor([3, 4])}
    logits = sdpa_and_flex(model, {**inputs, **keys}, pattern=pattern)
    assert tiny.distance(*logits, tiny.real(name, inputs)) < 1e-4


def test_cross_attention_and_kinds_without_a_pattern() -> None:
    model, inputs = tiny.model("bart"), tiny.batch("bart")
    for options in ({"cross": "window:left=1,right=1"}, {"decoder": "window:left=1"}):
        assert tiny.distance(*sdpa_and_flex(model, inputs, **options)) < 1e-4


def test_blocks_equal_the_matrix() -> None:
    model = tiny.model("llama", max_position_embeddings=512)
    ids = torch.randint(4, 60, (1, 300))
    masks: list[Any] = []
    for backend in ("sdpa", "flex"):
        handle = use_attention(model, "window:left=20,right=9 | sink:n=3", backend=backend)
        handle.listeners.append(lambda module, mask: masks.append(mask))
        model(ids)
    matrix, _, blocks, second_layer = masks
    assert isinstance(blocks, BlockMask)
    assert blocks is second_layer  # computed once for both layers
    assert blocks.shape == (1, 1, 300, 300)
    assert torch.equal(create_mask(blocks.mask_mod, 1, 1, 300, 300, device="cpu"), matrix)
    assert blocks.to_dense()[0, 0].tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]


@pytest.mark.parametrize("text", ["window:left=4,right=4 & document", "bigbird:block=4"])
@pytest.mark.parametrize("name", ["modernbert", "mistral"])
def test_no_matrix_is_computed(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def dense(*_: Any) -> None:
        raise AssertionError("a matrix of queries and keys")

    model, inputs = tiny.model(name), tiny.batch(name)
    inputs["document_ids"] = torch.ones(2, 9).long()
    monkeypatch.setattr(Intervals, "dense", dense)
    monkeypatch.setattr(masks, "MAX_COMPARED_QUERIES", 0)
    with use_attention(model, text, backend="flex") as handle:
        handle.set_time()
        model(**inputs)
    use_attention(model, text).set_time()
    with pytest.raises(AssertionError, match="a matrix"):
        model(**inputs)


@pytest.mark.parametrize(
    "name", ["modernbert", "llama", "mistral", "packed bert", "packed llama", "packed mistral"]
)
def test_known_model_masks_are_recognized(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    family = name.split()[-1]
    options = {"sliding_window": 3} if family == "mistral" else {}
    model = tiny.model(family, **options)
    inputs = {"input_ids": torch.randint(4, 60, (2, 9))}
    if name.startswith("packed"):
        inputs["position_ids"] = torch.tensor([[0, 1, 2, 3, 0, 1, 2, 0, 1], [*range(9)]])
    text = "sink:n=2 | window:left=4,right=4"
    for pattern in ("document", text) if "packed" in name else (text,):
        sdpa, recognized = sdpa_and_flex(model, inputs, pattern=pattern)
        assert tiny.distance(sdpa, recognized) < 1e-4
    calls: list[Intervals] = []
    evaluate = model_mask._evaluate
    monkeypatch.setattr(
        model_mask, "_evaluate", lambda *args: calls.append(evaluate(*args)) or calls[-1]
    )
    sdpa_and_flex(model, inputs, pattern="full")
    assert not calls
    monkeypatch.setattr(model_mask, "_same", lambda *args: False)
    monkeypatch.setattr(model_mask, "CELLS", 40)  # several parts
    evaluated = sdpa_and_flex(model, inputs, pattern=text)[1]
    assert calls
    assert torch.equal(evaluated, recognized)


@pytest.mark.parametrize("text", ["window:left=2", "sink:n=1 | window:left=2"])
@pytest.mark.parametrize(
    "name", ["llama", pytest.param("qwen3", marks=pytest.mark.slow), "mistral"]
)
def test_cached_equals_recomputed(name: str, text: str) -> None:
    model = tiny.model(name, **WIDE, **({"sliding_window": 4} if name == "mistral" else {}))
    use_attention(model, text)
    expected = texts(model.generate(**prompts(), **GREEDY))
    use_attention(model, text, backend="flex")
    assert texts(model.generate(**prompts(), **GREEDY)) == expected
    assert texts(model.generate(**prompts(), **GREEDY, use_cache=False)) == expected


@pytest.mark.filterwarnings("ignore:the 'cross' pattern hides every key")
def test_cross_attention_with_a_cache() -> None:
    model = tiny.model("bart", init_std=0.3)
    patterns = {"decoder": "window:left=2", "cross": "window:left=1,right=1"}
    use_attention(model, **patterns)
    expected = model.generate(**sources(), **GREEDY).tolist()
    use_attention(model, **patterns, backend="flex")
    assert model.generate(**sources(), **GREEDY).tolist() == expected


@pytest.mark.parametrize("backend", ["sdpa", "flex"])
def test_queries_without_a_visible_key_warn_once_or_raise(backend: str) -> None:
    model, inputs = tiny.model("llama"), tiny.batch("llama")
    use_attention(model, "~window:left=0", backend=backend)
    with pytest.warns(MaskplugWarning, match="hides every key from 2 of 18 queries .*themselves"):
        model(**inputs)
    with warnings.catch_warnings():
        warnings.simplefilter("error", MaskplugWarning)
        model(**inputs)
    use_attention(model, "~window:left=0", backend=backend, fallback="error")
    with pytest.raises(OptionError, match="hides every key from 2 of 18"):
        model(**inputs)


@pytest.mark.parametrize(
    ("name", "train", "options", "message"),
    [
        ("bert", True, {}, "BertSelfAttention uses attention dropout.*backend='sdpa'"),
        ("bert", True, NO_DROPOUT, "gradients on the CPU.*backend='sdpa' for training"),
        ("llama", False, {}, "gradients on the CPU.*torch.no_grad"),
        ("t5", False, {}, "T5Attention adds a bias for every query and key.*backend='sdpa'"),
    ],
)
def test_what_flex_cannot_compute_raises(
    name: str, train: bool, options: Any, message: str
) -> None:
    model, inputs = tiny.model(name, **options).train(train), tiny.batch(name)
    use_attention(model, backend="flex", **tiny.patterns(name))
    with torch.enable_grad(), pytest.raises(OptionError, match=message):
        model(**inputs)


def test_static_cache_is_rejected() -> None:
    model = tiny.model("llama")
    use_attention(model, "window:left=2", backend="flex")
    with pytest.raises(OptionError, match=r"static cache.*backend='sdpa'"):
        model.generate(**prompts(), **GREEDY, cache_implementation="static")


@pytest.mark.slow
def test_large_masks_are_compiled_for_every_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interface, "MAX_EAGER_CELLS", 0)
    model = tiny.model("llama", hidden_size=32)
    for length in (9, 12):
        inputs = tiny.batch("llama", "left", length=length)
        logits = sdpa_and_flex(model, inputs, pattern="sink:n=1 | window:left=2")
        assert tiny.distance(*logits, tiny.real("llama", inputs)) < 1e-4


def test_only_large_masks_are_compiled() -> None:
    """The small form of the test above, which compiles."""
    for length, compiled in ((1024, False), (1025, True)):
        states = torch.empty(1, 1, length, 8)
        with interface.compile_if_large(states, states):
            eager = torch._dynamo.eval_frame._stance.stance == "force_eager"
            assert eager is not compiled
            assert torch._dynamo.config.automatic_dynamic_shapes is not compiled
    assert isinstance(interface.compile_if_large(states.to("meta"), states), nullcontext)
