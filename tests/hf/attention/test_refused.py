"""What is refused, and with which words."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers as hf

from maskplug.errors import OptionError, UnknownNameError
from maskplug_hf.attention import use_attention
from support import attention_models as tiny

DEBERTA = hf.DebertaV2Config(**tiny.ONE)
XLNET = hf.XLNetConfig(vocab_size=60, d_model=16, n_layer=1, n_head=2, d_inner=16)


@pytest.mark.parametrize(
    "one", [hf.DebertaV2ForMaskedLM(DEBERTA), hf.XLNetLMHeadModel(XLNET)], ids=["deberta", "xlnet"]
)
def test_models_that_would_ignore_a_pattern(one: Any) -> None:
    with pytest.raises(OptionError, match=r"would ignore a pattern\. Ways out: .*Pattern\.addi"):
        use_attention(one, "window:left=2")


def test_no_model() -> None:
    with pytest.raises(OptionError, match="Linear is no model of transformers"):
        use_attention(torch.nn.Linear(2, 2), "full")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("bert", {}, "no pattern was given"),
        ("bert", {"cross": "full"}, "no attention of the kind 'cross'; it has: encoder"),
        ("llama", {"encoder": "full"}, "no attention of the kind 'encoder'; it has: decoder"),
        ("t5", {"pattern": "full"}, r"several places \(cross, decoder, encoder\): name them"),
        ("bert", {"pattern": "full", "encoder": "full"}, "two patterns for 'encoder'"),
        ("bert", {"pattern": "full", "backend": "flash_attention_2"}, "takes no masks.*'sdpa', "),
        (
            "bert",
            {"pattern": "full", "backend": "blocks"},
            "is 'blocks'; choices: 'sdpa', 'eager', ",
        ),
        ("bert", {"pattern": "full", "fallback": "last"}, "fallback is 'last'; choices: 'self'"),
        ("bert", {"pattern": "full", "evaluation": {"middle": "full"}}, "evaluation names"),
        ("bert", {"pattern": "window:left=-1"}, "option 'left' is -1"),
    ],
)
def test_options(name: str, options: dict[str, Any], message: str) -> None:
    one = tiny.model(name)
    with pytest.raises(OptionError, match=message):
        use_attention(one, **options)
    assert one.config._attn_implementation == "sdpa"


def test_an_unknown_pattern() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'window'"):
        use_attention(tiny.model("bert"), "windov:left=2")


@pytest.mark.parametrize("name", ["bert", "llama", "t5"])
@pytest.mark.parametrize("kind", [torch.bool, torch.float32])
def test_a_mask_of_four_dimensions(name: str, kind: torch.dtype) -> None:
    one, given = tiny.model(name), tiny.batch(name)
    use_attention(one, **tiny.patterns(name))
    given["attention_mask"] = torch.ones(2, 1, 9, 9, dtype=kind)
    with pytest.raises(OptionError, match=r"'attention_mask' is a Tensor of 4 dimensions.*remove"):
        one(**given)
    with pytest.raises(OptionError, match="of 4 dimensions"):
        one(given.pop("input_ids"), given.pop("attention_mask"), **given)


def test_nothing_to_see_may_be_an_error() -> None:
    one, given = tiny.model("llama"), tiny.batch("llama")
    use_attention(one, "~window:left=0", fallback="error")
    with pytest.raises(OptionError, match="leaves no key to 2 of 18 queries"):
        one(**given)


@pytest.mark.parametrize("values", [{"progress": 1.5}, {"step": -1}, {"epoch": -2}])
def test_no_time(values: dict[str, Any]) -> None:
    handle = use_attention(tiny.model("bert"), "full")
    with pytest.raises(OptionError, match="are no time"):
        handle.set_time(**values)


def test_a_mask_that_lost_its_facts() -> None:
    one, given = tiny.model("bart"), tiny.batch("bart")
    use_attention(one, encoder="full")
    plain = one(**given).logits
    layer = one.model.encoder.layers[0]
    hook = layer.register_forward_pre_hook(lambda m, args: (args[0], args[1].clone()))
    with pytest.raises(OptionError, match=r"BartAttention \(encoder, layer 0\).*use_reentrant"):
        one(**given)
    hook.remove()
    layer.register_forward_pre_hook(lambda m, args: (args[0], None))
    with pytest.raises(OptionError, match="was given no mask"):
        one(**given)
    use_attention(one, decoder="full")  # a place without a pattern takes what it is given
    given["attention_mask"][:] = 1
    assert one(**given).logits.shape == plain.shape


def test_a_copied_mask_is_known_where_no_other_can_be_meant() -> None:
    one, given = tiny.model("bert"), tiny.batch("bert")
    use_attention(one, "window:left=1")
    want = one(**given).logits
    for layer in one.bert.encoder.layer:  # as for layers on different devices
        layer.register_forward_pre_hook(lambda m, args: (args[0], args[1].clone(), *args[2:]))
    assert torch.equal(one(**given).logits, want)
