"""Models that mix tokens outside of attention reject patterns that separate documents."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers as hf

from maskplug.errors import MaskplugWarning, OptionError
from maskplug_hf import DataCollatorForPacking
from maskplug_hf.attention import use_attention
from maskplug_hf.attention.mixing import probe_documents
from support import attention_models as tiny
from support import hf_tokenizers as tokenizers

KV = {"num_key_value_heads": 1, "head_dim": 8}
MAMBA = {"mamba_n_heads": 4, "mamba_d_head": 8, "mamba_n_groups": 1, "mamba_d_state": 8}
DELTA = {"linear_num_value_heads": 2, "linear_num_key_heads": 2, "linear_key_head_dim": 8}
DELTA |= {"linear_value_head_dim": 8, "num_experts": 2, "num_experts_per_tok": 1}
DELTA |= {"moe_intermediate_size": 16, "shared_expert_intermediate_size": 16}
DELTA |= {"layer_types": ["linear_attention", "full_attention"]}
PERIOD = {"attn_layer_period": 2, "attn_layer_offset": 1, "mamba_dt_rank": 4, "num_experts": 2}
EXPERTS = {"num_local_experts": 2, "num_experts_per_tok": 1}
RECURRENT = {"lru_width": 16, "block_types": ("recurrent", "attention")}
#: Options of the config, and the module that the message names.
MIXING: dict[str, tuple[dict[str, Any], str]] = {
    "Lfm2ForCausalLM": ({"layer_types": ["conv", "full_attention"], **KV}, "Lfm2ShortConv"),
    "Qwen3NextForCausalLM": ({**KV, **DELTA}, "linear_attn', Qwen3NextGatedDeltaNet"),
    "EsmForMaskedLM": ({"token_dropout": True, "mask_token_id": 3}, "config.token_dropout"),
    "JambaForCausalLM": ({**KV, **PERIOD, "use_mamba_kernels": False}, "JambaMambaMixer"),
    "BambaForCausalLM": ({**KV, **MAMBA, "attn_layer_indices": [1]}, "BambaMixer"),
    "FalconH1ForCausalLM": ({**KV, **MAMBA, "mamba_d_ssm": 32}, "FalconH1Mixer"),
    "RecurrentGemmaForCausalLM": ({**KV, **RECURRENT}, "RecurrentGemmaRecurrentBlock"),
    "MiniMaxForCausalLM": ({**KV, **EXPERTS}, "MiniMaxLightningAttention"),
    "DeepseekV4ForCausalLM": ({}, "DeepseekV4HCACompressor"),
}
#: Accepted: attention alone, experts without a limit, sinks, rotary and learned positions.
CLEAN: dict[str, dict[str, Any]] = {
    "EsmForMaskedLM": {"token_dropout": False, "mask_token_id": 3},
    "ModernBertForMaskedLM": tiny.CLS,
    "AlbertForMaskedLM": {"embedding_size": 16},
    "ElectraForMaskedLM": {"embedding_size": 16},
    "GPT2LMHeadModel": {"n_embd": 16, "n_layer": 2, "n_head": 2},
    "GPTNeoXForCausalLM": {},
    "OPTForCausalLM": {"ffn_dim": 16, "word_embed_proj_dim": 16},
    "MixtralForCausalLM": {**KV, **EXPERTS},
    "GptOssForCausalLM": {**KV, **EXPERTS},
    "Llama4ForCausalLM": {**KV, **EXPERTS, "intermediate_size_mlp": 16},
    "Gemma3ForCausalLM": {**KV, "sliding_window": 4},
}
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def build(name: str, options: dict[str, Any]) -> Any:
    return tiny.build(name, **{**tiny.SIZE, **tiny.SPECIAL, **options})


def backend(model: Any) -> str:
    return "sdpa" if model._supports_sdpa else "eager"


@pytest.mark.parametrize("name", list(MIXING))
def test_known_mixers_are_rejected(name: str) -> None:
    options, part = MIXING[name]
    model = build(name, options)
    message = rf"{name} mixes tokens outside of attention \(.*{part}"
    for patterns in ({"pattern": "window:left=2 & document"}, {"evaluation": "document"}):
        with pytest.raises(OptionError, match=message):
            use_attention(model, **{"pattern": "causal", **patterns}, backend=backend(model))
    use_attention(model, "window:left=2", backend=backend(model)).remove()


def test_experts_with_limited_capacity_are_rejected() -> None:
    size = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 2, "num_heads": 2}
    name = "SwitchTransformersForConditionalGeneration"
    model = tiny.build(name, **size, **tiny.SEQ2SEQ_IDS, num_experts=2)
    with pytest.raises(OptionError, match="router', whose experts have a limited capacity"):
        use_attention(model, encoder="document", backend="eager")


@pytest.mark.parametrize("name", list(CLEAN))
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_models_that_only_attend_are_accepted(name: str, dtype: torch.dtype) -> None:
    model = build(name, CLEAN[name]).to(dtype).train()
    use_attention(model, "document", backend=backend(model))


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_supported_families_are_accepted(name: str) -> None:
    use_attention(tiny.model(name), **dict.fromkeys(tiny.patterns(name), "document"))


class Blurred(hf.BertForMaskedLM):  # type: ignore[misc]
    """Mixes tokens without a known class name: adds the row's mean to each state."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        layer = self.bert.encoder.layer[0]
        layer.output.register_forward_hook(lambda _, args, out: out + out.mean(1, keepdim=True))


def test_probe_finds_unknown_mixers() -> None:
    model = tiny.build(Blurred, **tiny.SIZE).train()
    model.bert.encoder.eval()
    modes = [module.training for module in model.modules()]
    state = torch.random.get_rng_state()
    with pytest.raises(OptionError, match=r"Blurred mixes .*a probe of two short documents.*Data"):
        use_attention(model, "document & window:left=1,right=1")
    assert modes == [module.training for module in model.modules()]
    assert torch.equal(state, torch.random.get_rng_state())
    assert model.config._attn_implementation == "sdpa"
    assert all(p.grad is None for p in model.parameters())
    use_attention(model, "window:left=1,right=1").remove()


def test_models_that_cannot_be_run_are_not_probed() -> None:
    with torch.device("meta"):
        model = hf.BertForMaskedLM(hf.BertConfig(**tiny.SIZE))
    use_attention(model, "document").remove()

    class NeedsImage(hf.BertModel):  # type: ignore[misc]
        def forward(self, input_ids: Any = None, image: Any = None, **more: Any) -> Any:
            raise ValueError(f"no image {image}")

    probe_documents(NeedsImage(hf.BertConfig(**tiny.SIZE)))


def test_rejected_pattern_leaves_the_former_one_in_place() -> None:
    model = build("EsmForMaskedLM", MIXING["EsmForMaskedLM"][0])
    former = use_attention(model, "window:left=2,right=2")
    with pytest.raises(OptionError, match="mixes tokens"):
        use_attention(model, "document")
    assert model.config._attn_implementation == "maskplug"
    former.remove()


@pytest.mark.parametrize(
    ("name", "options"),
    [("ConvBertForMaskedLM", {"embedding_size": 16, "head_ratio": 1}), ("FNetForMaskedLM", {})],
)
def test_packing_for_a_mixer_warns(name: str, options: dict[str, Any]) -> None:
    model = build(name, options)
    collator = DataCollatorForPacking(tokenizers.bert(), "dynamic", max_length=24)
    with pytest.warns(MaskplugWarning, match=r"mixes tokens outside of attention .*own row"):
        collator.as_attached(model)
