"""Flex attention computes what sdpa computes, and never sees a matrix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from test_columns import ByDepth, Thrown
from test_generate import LONGER, ROWS, WIDE, prompts, texts
from torch.nn.attention.flex_attention import BlockMask, create_mask
from transformers import DataCollatorWithFlattening

from maskplug.attention import Intervals
from maskplug.errors import MaskplugWarning, OptionError
from maskplug_hf.attention import blocks, own, use_attention
from support import attention_models as tiny

NAMES = [*tiny.ENCODERS, *tiny.DECODERS]
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
pytestmark = [
    pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile"),
    pytest.mark.filterwarnings("ignore:the pattern of 'decoder' hides nothing that"),
]


@pytest.fixture(autouse=True)
def inference() -> Iterator[None]:
    """The only thing that flex attention can do on the CPU."""
    with torch.no_grad():
        yield


def both(one: Any, given: dict[str, Any], **options: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """The logits of sdpa and of flex."""
    found = []
    for backend in ("sdpa", "flex"):
        with use_attention(one, backend=backend, **options):
            found.append(one(**given).logits)
    return found[0], found[1]


WRITTEN = [
    "window:left=2,right=1",
    "document",
    "sink:n=1 | window:left=1,right=1",
    "dilated:left=2,right=2,dilation=2",
    "~sink:n=2",
]


@pytest.mark.filterwarnings("ignore:the pattern of .* leaves no key")
@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("keep_own", [True, False])
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("name", NAMES)
def test_flex_is_sdpa(name: str, side: str, keep_own: bool, written: str) -> None:
    one, given = tiny.model(name), tiny.batch(name, side)
    given["document_ids"] = torch.tensor([[1] * 4 + [2] * 5, [1] * 5 + [2] * 4])
    plain = one(**tiny.batch(name, side)).logits
    want, got = both(one, given, pattern=written, keep_own=keep_own)
    counts = tiny.real(name, given)
    assert (want - got)[counts].abs().max() < 1e-4
    assert (plain - got)[counts].abs().max() > 1e-4


@pytest.mark.filterwarnings("ignore:pattern .* nobody tells it the time")
@pytest.mark.parametrize("pattern", [ByDepth(), Thrown(each=True)])
@pytest.mark.parametrize("name", ["bert", "llama"])
def test_layers_and_heads_may_differ(name: str, pattern: Any) -> None:
    one, given = tiny.model(name), tiny.batch(name)
    want, got = both(one, {**given, "sample_keys": torch.tensor([3, 4])}, pattern=pattern)
    assert (want - got)[tiny.real(name, given)].abs().max() < 1e-4


def test_cross_attention_and_places_without_a_pattern() -> None:
    one, given = tiny.model("bart"), tiny.batch("bart")
    for options in ({"cross": "window:left=1,right=1"}, {"decoder": "window:left=1"}):
        want, got = both(one, given, **options)
        assert (want - got).abs().max() < 1e-4


@pytest.mark.parametrize("name", ["bert", "llama", "mistral"])
def test_packed_rows(name: str) -> None:
    more = {"sliding_window": 3} if name == "mistral" else {}
    one = tiny.model(name, **more)
    rows = [{"input_ids": row, "labels": row} for row in ([5, 6, 7, 8, 9], [9, 10, 11])]
    packed = DataCollatorWithFlattening()(rows)
    given = {key: packed[key] for key in ("input_ids", "position_ids")}
    want, got = both(one, given, pattern="document")
    assert (want - got).abs().max() < 1e-4


def test_the_blocks_are_those_of_the_matrix() -> None:
    one = tiny.model("llama", max_position_embeddings=512)
    ids = torch.randint(4, 60, (1, 300))
    dense: list[Any] = []
    for backend in ("sdpa", "flex"):
        handle = use_attention(one, "window:left=20,right=9 | sink:n=3", backend=backend)
        handle.listeners.append(lambda spot, mask: dense.append(mask))
        one(ids)
    matrix, _, got, same = dense
    assert isinstance(got, BlockMask)
    assert got is same  # made once for both layers
    assert got.shape == (1, 1, 300, 300)
    found = create_mask(got.mask_mod, 1, 1, 300, 300, device="cpu")
    assert torch.equal(found, matrix)
    assert got.to_dense()[0, 0].tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]


@pytest.mark.parametrize("written", ["window:left=4,right=4 & document", "bigbird:block=4"])
@pytest.mark.parametrize("name", ["modernbert", "mistral"])
def test_no_matrix_is_made(name: str, written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def dense(*_: Any) -> None:
        raise AssertionError("a matrix of queries and keys")

    one, given = tiny.model(name), tiny.batch(name)
    monkeypatch.setattr(Intervals, "dense", dense)
    monkeypatch.setattr(blocks, "SHORT", 0)
    with use_attention(one, written, backend="flex") as handle:
        handle.set_time()
        one(**given, document_ids=torch.ones(2, 9).long())
    use_attention(one, written).set_time()
    with pytest.raises(AssertionError, match="a matrix"):
        one(**given, document_ids=torch.ones(2, 9).long())


@pytest.mark.parametrize("name", ["modernbert", "llama", "mistral", "packed", "packed mistral"])
def test_known_rules_are_recognised(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = name.split()[-1]
    more = {"sliding_window": 3} if kind == "mistral" else {}
    one = tiny.model("llama" if kind == "packed" else kind, **more)
    ids = torch.randint(4, 60, (2, 9))
    given = {"input_ids": ids}
    if name.startswith("packed"):
        given["position_ids"] = torch.tensor([[0, 1, 2, 3, 0, 1, 2, 0, 1], [*range(9)]])
    want, got = both(one, given, pattern="sink:n=2 | window:left=4,right=4")
    assert (want - got).abs().max() < 1e-4
    looked: list[Intervals] = []
    look = own._looked_at
    monkeypatch.setattr(own, "_looked_at", lambda *a: looked.append(look(*a)) or looked[-1])
    both(one, given, pattern="full")
    assert not looked
    monkeypatch.setattr(own, "_same", lambda *a: False)
    monkeypatch.setattr(own, "CELLS", 40)  # in several parts
    again = both(one, given, pattern="sink:n=2 | window:left=4,right=4")[1]
    assert looked
    assert torch.equal(again, got)


@pytest.mark.parametrize("written", ["window:left=2", "sink:n=1 | window:left=2"])
@pytest.mark.parametrize("name", ["llama", "qwen3", "mistral"])
def test_cached_is_recomputed(name: str, written: str) -> None:
    one = tiny.model(name, **WIDE, **({"sliding_window": 4} if name == "mistral" else {}))
    use_attention(one, written)
    want = texts(one.generate(**prompts(), **LONGER))
    use_attention(one, written, backend="flex")
    assert texts(one.generate(**prompts(), **LONGER)) == want
    assert texts(one.generate(**prompts(), **LONGER, use_cache=False)) == want


@pytest.mark.filterwarnings("ignore:the pattern of 'cross' leaves no key")
def test_cached_cross_attention() -> None:
    one = tiny.model("bart", init_std=0.3)
    given = {"input_ids": torch.tensor([row + [0] * (7 - len(row)) for row in ROWS])}
    given["attention_mask"] = (given["input_ids"] != 0).long()
    options = {"decoder": "window:left=2", "cross": "window:left=1,right=1"}
    use_attention(one, **options)
    want = one.generate(**given, **LONGER).tolist()
    use_attention(one, **options, backend="flex")
    assert one.generate(**given, **LONGER).tolist() == want


def test_queries_that_would_see_nothing() -> None:
    one, given = tiny.model("llama"), tiny.batch("llama")
    use_attention(one, "~window:left=0", backend="flex")
    with pytest.warns(MaskplugWarning, match="leaves no key to 2 of 18 queries .*themselves"):
        one(**given)
    use_attention(one, "~window:left=0", backend="flex", fallback="error")
    with pytest.raises(OptionError, match="leaves no key to 2 of 18"):
        one(**given)


def test_a_pattern_that_only_adds_is_told_of() -> None:
    one, given = tiny.model("llama"), tiny.batch("llama")
    use_attention(one, "causal | sink:n=4", backend="flex")
    with pytest.warns(MaskplugWarning, match="say keep_own=False"):
        one(**given)


@pytest.mark.parametrize(
    ("name", "train", "options", "message"),
    [
        ("bert", True, {}, "BertSelfAttention drops attention weights out.*backend='sdpa'"),
        ("bert", True, NO_DROPOUT, "gradients on the CPU.*backend='sdpa' for training"),
        ("llama", False, {}, "gradients on the CPU.*torch.no_grad"),
        ("t5", False, {}, "T5Attention adds a bias to the score of every.*backend='sdpa'"),
    ],
)
def test_what_flex_cannot_do(name: str, train: bool, options: Any, message: str) -> None:
    one, given = tiny.model(name, **options).train(train), tiny.batch(name)
    use_attention(one, backend="flex", **tiny.patterns(name))
    with torch.enable_grad(), pytest.raises(OptionError, match=message):
        one(**given)


def test_a_static_cache_is_refused() -> None:
    one = tiny.model("llama")
    use_attention(one, "window:left=2", backend="flex")
    with pytest.raises(OptionError, match=r"static cache.*backend='sdpa'"):
        one.generate(**prompts(), **LONGER, cache_implementation="static")


def test_a_model_without_flex_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    one = tiny.model("bert")
    monkeypatch.setattr(type(one), "_supports_flex_attn", False)
    with pytest.raises(OptionError, match="does not support flex; say backend='sdpa'"):
        use_attention(one, "window:left=2", backend="flex")


def test_large_ones_are_compiled_for_every_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "SMALL", 0)
    one = tiny.model("llama", hidden_size=32)
    for length in (9, 12):
        given = tiny.batch("llama", "left", length=length)
        want, got = both(one, given, pattern="sink:n=1 | window:left=2")
        assert (want - got)[tiny.real("llama", given)].abs().max() < 1e-4
