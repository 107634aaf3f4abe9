"""What use_attention leaves behind, and what it takes away again."""

from __future__ import annotations

import copy
import gc
import warnings
import weakref
from pathlib import Path

import pytest
import torch
import transformers as hf

from maskplug.errors import MaskplugWarning
from maskplug_hf.attention import use_attention
from support import attention_models as tiny

GIVEN = tiny.batch("bert")
COUNTS = GIVEN["attention_mask"].bool()


@pytest.mark.parametrize("name", tiny.FAMILIES)
@pytest.mark.parametrize("former", ["sdpa", "eager"])
def test_remove_gives_the_former_attention_back(name: str, former: str) -> None:
    one, given = tiny.model(name), tiny.batch(name)
    one.set_attn_implementation(former)
    before = {key: sorted(map(str, vars(m))) for key, m in one.named_modules()}
    plain = one(**given).logits
    handle = use_attention(one, **tiny.patterns(name))
    assert (one(**given).logits - plain).abs().max() > 1e-4
    handle.remove()
    handle.remove()
    assert torch.equal(one(**given).logits, plain)
    assert {key: sorted(map(str, vars(m))) for key, m in one.named_modules()} == before
    for module in one.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
        if isinstance(module, hf.PreTrainedModel):
            assert module.config._attn_implementation == former


def test_a_second_call_takes_the_place_of_the_first() -> None:
    one = tiny.model("bert")
    use_attention(one, "window:left=0")
    want = one(**GIVEN).logits
    use_attention(one.bert, "window:left=1")  # of an inner model
    use_attention(one, "window:left=2")
    handle = use_attention(one, "window:left=0")
    assert torch.equal(one(**GIVEN).logits, want)
    handle.remove()
    assert one.config._attn_implementation == "sdpa"


def test_an_error_in_the_block_leaves_the_model_as_it_was() -> None:
    one = tiny.model("bert")
    plain = one(**GIVEN).logits
    with pytest.raises(ZeroDivisionError), use_attention(one, "window:left=0"):
        raise ZeroDivisionError
    assert torch.equal(one(**GIVEN).logits, plain)


def test_an_error_in_a_pass_does_not_reach_the_next() -> None:
    one = tiny.model("bert")
    use_attention(one, "window:left=0")
    want = one(**GIVEN).logits
    with pytest.raises(IndexError):
        one(GIVEN["input_ids"] + 99)
    assert torch.equal(one(**GIVEN).logits, want)


def test_two_models_have_patterns_of_their_own() -> None:
    one, two = tiny.model("bert"), tiny.model("bert")
    use_attention(one, "window:left=0")
    alone = one(**GIVEN).logits
    use_attention(two, "window:left=3", backend="eager")
    other = two(**GIVEN).logits
    assert torch.equal(one(**GIVEN).logits, alone)
    assert not torch.equal(alone, other)


def test_a_copy_keeps_the_pattern() -> None:
    one = tiny.model("bert")
    use_attention(one, "window:left=0")
    want = one(**GIVEN).logits
    twin = copy.deepcopy(one)
    assert torch.equal(twin(**GIVEN).logits, want)
    use_attention(twin, "full")
    assert torch.equal(one(**GIVEN).logits, want)


def test_what_is_saved_loads_without_maskplug(tmp_path: Path) -> None:
    one = tiny.model("t5")
    use_attention(one, **tiny.patterns("t5"))
    one.save_pretrained(tmp_path)
    assert "maskplug" not in (tmp_path / "config.json").read_text()
    loaded = hf.T5ForConditionalGeneration.from_pretrained(tmp_path)
    assert loaded.config._attn_implementation == "sdpa"
    given = tiny.batch("t5")
    want = one(**given).logits
    use_attention(loaded.eval(), **tiny.patterns("t5"))
    assert torch.equal(loaded(**given).logits, want)


def test_a_model_of_two_models_and_a_decoder_that_was_an_encoder() -> None:
    size = {**tiny.ONE, "num_hidden_layers": 1}
    config = hf.EncoderDecoderConfig.from_encoder_decoder_configs(
        hf.BertConfig(**size), hf.BertConfig(**size)
    )
    torch.manual_seed(0)
    one = hf.EncoderDecoderModel(config).eval()
    given = {"input_ids": GIVEN["input_ids"], "decoder_input_ids": GIVEN["input_ids"][:, :4]}
    seen = {}
    handle = use_attention(one, encoder="window:left=1", decoder="window:left=1", cross="sink:n=2")
    handle.listeners.append(lambda spot, mask: seen.update({spot.place: mask}))
    for more in ({}, {"attention_mask": GIVEN["attention_mask"]}):
        one(**given, **more)
        assert {place: tuple(mask.shape[2:]) for place, mask in seen.items()} == {
            "encoder": (9, 9),
            "decoder": (4, 4),
            "cross": (4, 9),  # which BERT asks for only if there is a mask of the source
        }
        assert (seen["cross"].sum(-1) == 2).all()


def test_a_decoder_with_cross_attention_alone() -> None:
    config = hf.BertConfig(**tiny.ONE, is_decoder=True, add_cross_attention=True)
    torch.manual_seed(0)
    one = hf.BertLMHeadModel(config).eval()
    states = torch.randn(2, 5, 16)
    seen = {}
    handle = use_attention(one, "window:left=1", cross="document")
    handle.listeners.append(lambda spot, mask: seen.update({spot.place: mask}))
    documents = {"documents": torch.zeros(2, 9, dtype=torch.long)}
    documents["encoder_documents"] = torch.tensor([[0, 0, 0, 1, 1]])
    one(GIVEN["input_ids"], encoder_hidden_states=states, **documents)
    assert seen["decoder"].sum(-1)[0, 0].tolist() == [1] + [2] * 8
    assert seen.pop("cross")[0, 0].tolist() == [[True] * 3 + [False] * 2] * 9
    one(GIVEN["input_ids"], None, None, None, None, states, None, **documents)
    assert seen["cross"][1, 0].tolist() == [[True] * 3 + [False] * 2] * 9


def test_what_a_causal_model_would_hide_anyway() -> None:
    one, given = tiny.model("llama"), tiny.batch("llama")
    use_attention(one, "window:left=null,right=2")
    with pytest.warns(MaskplugWarning, match="say keep_own=False"):
        one(**given)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for written in ("window:left=2,right=2", "full", "sink:n=2 | window:left=2", "causal"):
            use_attention(one, written)
            one(**given)
        use_attention(one, "window:left=null,right=2", keep_own=False)
        one(**given)


@pytest.mark.parametrize("fallback", [None, "self", "first"])
def test_a_query_that_would_see_nothing(fallback: str | None) -> None:
    one = tiny.model("bert")
    handle = use_attention(one, "~window:left=null,right=9", fallback=fallback)
    seen = []
    handle.listeners.append(lambda spot, mask: seen.append(mask))
    given = tiny.batch("bert", "left")
    with pytest.warns(
        MaskplugWarning, match="no key to 15 of 18 queries .*sample 0, head 0, query 0"
    ):
        one(**given)
    wanted = torch.eye(9).bool().repeat(2, 1, 1)
    if fallback == "first":
        wanted = torch.zeros(2, 9, 9).bool()
        wanted[0, :, 0] = wanted[1, :, 3] = True
    assert torch.equal(seen[0][:, 0], wanted)


def test_padding_that_sees_nothing_is_nothing_to_speak_of() -> None:
    one = tiny.model("bert")
    use_attention(one, "window:left=1")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for side in ("left", "right"):
            assert one(**tiny.batch("bert", side)).logits.isfinite().all()


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_nothing_is_kept_after_a_pass(name: str) -> None:
    one, given = tiny.model(name), tiny.batch(name)
    handle = use_attention(one, **tiny.patterns(name))
    made: list[weakref.ref[torch.Tensor]] = []
    handle.listeners.append(lambda spot, mask: made.append(weakref.ref(mask)))
    gc.disable()
    try:
        labels = given.get("decoder_input_ids", given["input_ids"])
        one.train()(**given, labels=labels).loss.backward()
        assert made
        assert not [ref for ref in made if ref() is not None]
    finally:
        gc.enable()


@pytest.mark.filterwarnings("error:Dynamo detected")
@pytest.mark.parametrize("name", ["bert", "llama"])
def test_a_compiled_model_has_the_same_masks(name: str) -> None:
    one, given = tiny.model(name), tiny.batch(name)
    use_attention(one, **tiny.patterns(name))
    want = one(**given).logits
    assert (torch.compile(one, backend="eager")(**given).logits - want).abs().max() < 1e-6
