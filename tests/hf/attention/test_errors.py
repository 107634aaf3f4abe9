"""Models, options and inputs that are rejected, and the messages."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from maskplug.errors import MaskplugError, OptionError
from maskplug_hf.attention import use_attention
from support import attention_models as tiny

XLNET = {"vocab_size": 60, "d_model": 16, "n_layer": 1, "n_head": 2, "d_inner": 16}


def test_models_that_would_ignore_a_pattern_are_rejected() -> None:
    for class_name, size in (("DebertaV2ForMaskedLM", tiny.SIZE), ("XLNetLMHeadModel", XLNET)):
        with pytest.raises(OptionError, match=r"would ignore a pattern\. Use .*Pattern\.additive"):
            use_attention(tiny.build(class_name, **size), "window:left=2")
    with pytest.raises(OptionError, match="Linear is not a transformers model"):
        use_attention(torch.nn.Linear(2, 2), "full")


FULL = {"pattern": "full"}


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("bert", {}, "no pattern given"),
        ("bert", {"cross": "full"}, "has no 'cross' attention; choices: encoder"),
        ("llama", {"encoder": "full"}, "has no 'encoder' attention; choices: decoder"),
        ("t5", FULL, r"several kinds of attention \(cross, decoder, encoder\): name them"),
        ("bert", {**FULL, "encoder": "full"}, "two patterns for 'encoder'"),
        ("bert", {**FULL, "backend": "flash_attention_2"}, "takes no masks; choices: 'sdpa', "),
        ("bert", {**FULL, "backend": "blocks"}, "is 'blocks'; choices: 'sdpa', 'eager', "),
        ("bert", {**FULL, "fallback": "last"}, "fallback is 'last'; choices: 'self'"),
        ("bert", {**FULL, "evaluation": {"middle": "full"}}, "evaluation names"),
        ("bert", {"pattern": "windov:left=2"}, "did you mean 'window'"),
    ],
)
def test_wrong_options_are_rejected(name: str, options: dict[str, Any], message: str) -> None:
    model = tiny.model(name)
    with pytest.raises(MaskplugError, match=message):
        use_attention(model, **options)
    assert model.config._attn_implementation == "sdpa"


def test_model_without_flex_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny.model("bert")
    monkeypatch.setattr(type(model), "_supports_flex_attn", False)
    with pytest.raises(OptionError, match="does not support flex; use backend='sdpa'"):
        use_attention(model, "window:left=2", backend="flex")


@pytest.mark.parametrize("name", ["bert", "llama", "t5"])
@pytest.mark.parametrize("dtype", [torch.bool, torch.float32])
def test_mask_with_four_dimensions_is_rejected(name: str, dtype: torch.dtype) -> None:
    model, inputs = tiny.model(name), tiny.batch(name)
    use_attention(model, **tiny.patterns(name))
    inputs["attention_mask"] = torch.ones(2, 1, 9, 9, dtype=dtype)
    with pytest.raises(OptionError, match=r"'attention_mask' is a Tensor with 4 dimensions.*remov"):
        model(**inputs)
    with pytest.raises(OptionError, match="with 4 dimensions"):
        model(inputs.pop("input_ids"), inputs.pop("attention_mask"), **inputs)


@pytest.mark.parametrize("values", [{"progress": 1.5}, {"step": -1}, {"epoch": -2}])
def test_invalid_time_is_rejected(values: dict[str, Any]) -> None:
    handle = use_attention(tiny.model("bert"), "full")
    with pytest.raises(OptionError, match="invalid time"):
        handle.set_time(**values)


def test_mask_without_metadata_is_rejected() -> None:
    model, inputs = tiny.model("bart"), tiny.batch("bart")
    use_attention(model, encoder="full")
    plain = model(**inputs).logits
    layer = model.model.encoder.layers[0]
    hook = layer.register_forward_pre_hook(lambda m, args: (args[0], args[1].clone()))
    with pytest.raises(OptionError, match=r"BartAttention \(encoder, layer 0\).*use_reentrant"):
        model(**inputs)
    hook.remove()
    layer.register_forward_pre_hook(lambda m, args: (args[0], None))
    with pytest.raises(OptionError, match="got no mask"):
        model(**inputs)
    use_attention(model, decoder="full")  # attention without a pattern accepts any mask
    inputs["attention_mask"][:] = 1
    assert model(**inputs).logits.shape == plain.shape


def test_copied_mask_is_accepted_if_all_masks_have_one_shape() -> None:
    model, inputs = tiny.model("bert"), tiny.batch("bert")
    use_attention(model, "window:left=1")
    expected = model(**inputs).logits
    for layer in model.bert.encoder.layer:  # as for layers on different devices
        layer.register_forward_pre_hook(lambda m, args: (args[0], args[1].clone(), *args[2:]))
    assert torch.equal(model(**inputs).logits, expected)
