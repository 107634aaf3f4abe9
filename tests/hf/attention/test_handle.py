"""What use_attention changes in a model, and that remove() restores it."""

from __future__ import annotations

import copy
import gc
import warnings
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf

from maskplug.errors import MaskplugWarning
from maskplug_hf.attention import use_attention
from support import attention_models as tiny

INPUTS = tiny.batch("bert")


@pytest.mark.parametrize(
    ("name", "former"), [*((name, "sdpa") for name in tiny.FAMILIES), ("bert", "eager")]
)
def test_remove_restores_the_former_attention(name: str, former: str) -> None:
    model, inputs = tiny.model(name), tiny.batch(name)
    model.set_attn_implementation(former)
    before = {key: sorted(map(str, vars(m))) for key, m in model.named_modules()}
    plain = model(**inputs).logits
    handle = use_attention(model, **tiny.patterns(name))
    assert tiny.distance(model(**inputs).logits, plain) > 1e-4
    handle.remove()
    handle.remove()
    assert torch.equal(model(**inputs).logits, plain)
    assert {key: sorted(map(str, vars(m))) for key, m in model.named_modules()} == before
    for module in model.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
        if isinstance(module, hf.PreTrainedModel):
            assert module.config._attn_implementation == former


def test_second_call_replaces_the_first() -> None:
    model = tiny.model("bert")
    use_attention(model, "window:left=0")
    expected = model(**INPUTS).logits
    use_attention(model.bert, "window:left=1")  # of an inner model
    use_attention(model, "window:left=2")
    handle = use_attention(model, "window:left=0")
    assert torch.equal(model(**INPUTS).logits, expected)
    handle.remove()
    assert model.config._attn_implementation == "sdpa"


def test_errors_in_the_block_and_in_a_pass_leave_nothing_behind() -> None:
    model = tiny.model("bert")
    plain = model(**INPUTS).logits
    with pytest.raises(ZeroDivisionError), use_attention(model, "window:left=0"):
        raise ZeroDivisionError
    assert torch.equal(model(**INPUTS).logits, plain)
    use_attention(model, "window:left=0")
    expected = model(**INPUTS).logits
    with pytest.raises(IndexError):
        model(INPUTS["input_ids"] + 99)
    assert torch.equal(model(**INPUTS).logits, expected)


def test_two_models_and_a_copy_have_separate_patterns() -> None:
    first, second = tiny.model("bert"), tiny.model("bert")
    use_attention(first, "window:left=0")
    expected = first(**INPUTS).logits
    copied = copy.deepcopy(first)
    assert torch.equal(copied(**INPUTS).logits, expected)
    for other, backend in ((second, "eager"), (copied, "sdpa")):
        use_attention(other, "window:left=3", backend=backend)
        assert not torch.equal(other(**INPUTS).logits, expected)
        assert torch.equal(first(**INPUTS).logits, expected)


def test_saved_model_loads_without_maskplug(tmp_path: Path) -> None:
    model, inputs = tiny.model("t5"), tiny.batch("t5")
    use_attention(model, **tiny.patterns("t5"))
    model.save_pretrained(tmp_path)
    assert "maskplug" not in (tmp_path / "config.json").read_text()
    loaded = hf.T5ForConditionalGeneration.from_pretrained(tmp_path)
    assert loaded.config._attn_implementation == "sdpa"
    expected = model(**inputs).logits
    use_attention(loaded.eval(), **tiny.patterns("t5"))
    assert torch.equal(loaded(**inputs).logits, expected)


def test_encoder_decoder_of_two_encoders() -> None:
    size = {**tiny.SIZE, "num_hidden_layers": 1}
    config = hf.EncoderDecoderConfig.from_encoder_decoder_configs(
        hf.BertConfig(**size), hf.BertConfig(**size)
    )
    torch.manual_seed(0)
    model = hf.EncoderDecoderModel(config).eval()
    inputs = {"input_ids": INPUTS["input_ids"], "decoder_input_ids": INPUTS["input_ids"][:, :4]}
    patterns = {"encoder": "window:left=1", "decoder": "window:left=1", "cross": "sink:n=2"}
    handle = use_attention(model, **patterns)
    for more in ({}, {"attention_mask": INPUTS["attention_mask"]}):
        masks = tiny.masks_by_layer(model, handle, **inputs, **more)
        assert {kind: tuple(mask.shape[2:]) for (kind, _), mask in masks.items()} == {
            "encoder": (9, 9),
            "decoder": (4, 4),
            "cross": (4, 9),  # BERT only requests this mask if the source has a mask
        }
        assert (masks["cross", 0].sum(-1) == 2).all()


def test_decoder_with_cross_attention_and_no_encoder() -> None:
    size = {**tiny.SIZE, "is_decoder": True, "add_cross_attention": True}
    model = tiny.build("BertLMHeadModel", **size)
    states = torch.randn(2, 5, 16)
    handle = use_attention(model, "window:left=1", cross="document")
    documents = {"documents": torch.zeros(2, 9, dtype=torch.long)}
    documents["encoder_documents"] = torch.tensor([[0, 0, 0, 1, 1]])
    by_name = {"input_ids": INPUTS["input_ids"], "encoder_hidden_states": states}
    masks = tiny.masks_by_layer(model, handle, **by_name, **documents)
    assert masks["decoder", 0].sum(-1)[0, 0].tolist() == [1] + [2] * 8
    assert masks["cross", 0][0, 0].tolist() == [[True] * 3 + [False] * 2] * 9
    masks.clear()
    handle.listeners.append(lambda module, mask: masks.update({module.attention_kind: mask}))
    model(INPUTS["input_ids"], None, None, None, None, states, None, **documents)
    assert masks["cross"][1, 0].tolist() == [[True] * 3 + [False] * 2] * 9


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
@pytest.mark.parametrize("backend", ["sdpa", "flex"])
def test_pattern_that_only_adds_to_a_causal_mask_warns(backend: str) -> None:
    model, inputs = tiny.model("llama"), tiny.batch("llama")
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("error", MaskplugWarning)
        for text in ("window:left=null,right=2", "causal | sink:n=4"):
            use_attention(model, text, backend=backend)
            with pytest.warns(MaskplugWarning, match="set keep_own=False"):
                model(**inputs)
        for text in ("window:left=2,right=2", "full", "sink:n=2 | window:left=2", "causal"):
            use_attention(model, text, backend=backend)
            model(**inputs)
        use_attention(model, "window:left=null,right=2", keep_own=False, backend=backend)
        model(**inputs)


@pytest.mark.parametrize("fallback", [None, "self", "first"])
def test_fallback_of_queries_without_a_visible_key(fallback: Any) -> None:
    model, inputs = tiny.model("bert"), tiny.batch("bert", "left")
    handle = use_attention(model, "~window:left=null,right=9", fallback=fallback)
    with pytest.warns(MaskplugWarning, match="every key from 15 of 18 .*sample 0, query 0"):
        masks = tiny.masks_by_layer(model, handle, **inputs)
    expected = torch.eye(9).bool().repeat(2, 1, 1)
    if fallback == "first":
        expected = torch.zeros(2, 9, 9).bool()
        expected[0, :, 0] = expected[1, :, 3] = True
    assert torch.equal(masks["encoder", 0][:, 0], expected)


def test_padding_without_a_visible_key_does_not_warn() -> None:
    model = tiny.model("bert")
    use_attention(model, "window:left=1")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for side in ("left", "right"):
            assert model(**tiny.batch("bert", side)).logits.isfinite().all()


@pytest.mark.parametrize("name", ["bert", "llama", "bart"])
def test_no_mask_is_kept_after_a_pass(name: str) -> None:
    model, inputs = tiny.model(name), tiny.batch(name)
    handle = use_attention(model, **tiny.patterns(name))
    masks: list[weakref.ref[torch.Tensor]] = []
    handle.listeners.append(lambda module, mask: masks.append(weakref.ref(mask)))
    gc.disable()
    try:
        model.train()(**inputs, labels=tiny.labels(inputs)).loss.backward()
        assert masks
        assert not [ref for ref in masks if ref() is not None]
    finally:
        gc.enable()


@pytest.mark.filterwarnings("error:Dynamo detected")
@pytest.mark.parametrize("name", ["bert", pytest.param("llama", marks=pytest.mark.slow)])
def test_compiled_model_has_the_same_masks(name: str) -> None:
    model, inputs = tiny.model(name), tiny.batch(name)
    use_attention(model, **tiny.patterns(name))
    expected = model(**inputs).logits
    assert tiny.distance(torch.compile(model, backend="eager")(**inputs).logits, expected) < 1e-6
