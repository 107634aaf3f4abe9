"""Models that mix tokens outside of attention take no pattern that keeps documents apart."""

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

SIZE: dict[str, Any] = {**tiny.ONE, **tiny.SPECIAL}
KV = {"num_key_value_heads": 1, "head_dim": 8}
SMALL = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 2, "num_heads": 2}
MAMBA = {"mamba_n_heads": 4, "mamba_d_head": 8, "mamba_n_groups": 1, "mamba_d_state": 8}
DELTA = {"linear_num_value_heads": 2, "linear_num_key_heads": 2, "linear_key_head_dim": 8}
DELTA |= {"linear_value_head_dim": 8, "num_experts": 2, "num_experts_per_tok": 1}
DELTA |= {"moe_intermediate_size": 16, "shared_expert_intermediate_size": 16}
DELTA |= {"layer_types": ["linear_attention", "full_attention"]}
PERIOD = {"attn_layer_period": 2, "attn_layer_offset": 1, "mamba_dt_rank": 4, "num_experts": 2}
EXPERTS = {"num_local_experts": 2, "num_experts_per_tok": 1}
#: Configs and their options, and what the message names.
MIXING: dict[str, tuple[str, dict[str, Any], str]] = {
    "Lfm2ForCausalLM": ("Lfm2", {"layer_types": ["conv", "full_attention"], **KV}, "Lfm2ShortConv"),
    "Qwen3NextForCausalLM": ("Qwen3Next", {**KV, **DELTA}, "linear_attn', Qwen3NextGatedDeltaNet"),
    "EsmForMaskedLM": ("Esm", {"token_dropout": True, "mask_token_id": 3}, "config.token_dropout"),
    "JambaForCausalLM": ("Jamba", {**KV, **PERIOD, "use_mamba_kernels": False}, "JambaMambaMixer"),
    "BambaForCausalLM": ("Bamba", {**KV, **MAMBA, "attn_layer_indices": [1]}, "BambaMixer"),
    "FalconH1ForCausalLM": ("FalconH1", {**KV, **MAMBA, "mamba_d_ssm": 32}, "FalconH1Mixer"),
    "RecurrentGemmaForCausalLM": (
        "RecurrentGemma",
        {**KV, "lru_width": 16, "block_types": ("recurrent", "attention")},
        "RecurrentGemmaRecurrentBlock",
    ),
    "MiniMaxForCausalLM": ("MiniMax", {**KV, **EXPERTS}, "MiniMaxLightningAttention"),
    "DeepseekV4ForCausalLM": ("DeepseekV4", {}, "DeepseekV4HCACompressor"),
}
#: What is accepted: attention alone, experts without a limit, sinks, rotary and learned positions.
CLEAN: dict[str, tuple[str, dict[str, Any]]] = {
    "EsmForMaskedLM": ("Esm", {"token_dropout": False, "mask_token_id": 3}),
    "ModernBertForMaskedLM": ("ModernBert", tiny.MORE),
    "AlbertForMaskedLM": ("Albert", {"embedding_size": 16}),
    "ElectraForMaskedLM": ("Electra", {"embedding_size": 16}),
    "GPT2LMHeadModel": ("GPT2", {"n_embd": 16, "n_layer": 2, "n_head": 2}),
    "GPTNeoXForCausalLM": ("GPTNeoX", {}),
    "OPTForCausalLM": ("OPT", {"ffn_dim": 16, "word_embed_proj_dim": 16}),
    "MixtralForCausalLM": ("Mixtral", {**KV, **EXPERTS}),
    "GptOssForCausalLM": ("GptOss", {**KV, **EXPERTS}),
    "Llama4ForCausalLM": ("Llama4Text", {**KV, **EXPERTS, "intermediate_size_mlp": 16}),
    "Gemma3ForCausalLM": ("Gemma3Text", {**KV, "sliding_window": 4}),
}
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def family(name: str, config: str, options: dict[str, Any]) -> Any:
    torch.manual_seed(0)
    return getattr(hf, name)(getattr(hf, f"{config}Config")(**{**SIZE, **options})).eval()


def backend(model: Any) -> str:
    return "sdpa" if model._supports_sdpa else "eager"


@pytest.mark.parametrize("name", list(MIXING))
def test_known_mixers_are_named(name: str) -> None:
    config, options, part = MIXING[name]
    model = family(name, config, options)
    for arguments in ({"pattern": "window:left=2 & document"}, {"evaluation": "document"}):
        with pytest.raises(
            OptionError, match=rf"{name} mixes tokens outside of attention \(.*{part}"
        ):
            use_attention(model, **{"pattern": "causal", **arguments}, backend=backend(model))
    use_attention(model, "window:left=2", backend=backend(model)).remove()


def test_experts_with_a_capacity_depend_on_the_row() -> None:
    config = hf.SwitchTransformersConfig(**{**SMALL, **tiny.TWO, "num_experts": 2})
    model = hf.SwitchTransformersForConditionalGeneration(config)
    with pytest.raises(OptionError, match="router', whose experts take a limited number"):
        use_attention(model, encoder="document", backend="eager")


@pytest.mark.parametrize("name", list(CLEAN))
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_models_that_only_attend_are_accepted(name: str, dtype: torch.dtype) -> None:
    model = family(name, *CLEAN[name]).to(dtype).train()
    use_attention(model, "document", backend=backend(model))


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_the_families_that_patterns_are_for_are_accepted(name: str) -> None:
    use_attention(tiny.model(name), **dict.fromkeys(tiny.patterns(name), "document"))


class Blurred(hf.BertForMaskedLM):  # type: ignore[misc]
    """A kind of mixing that no name tells: each state has the row's mean added."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        layer = self.bert.encoder.layer[0]
        layer.output.register_forward_hook(lambda _, args, out: out + out.mean(1, keepdim=True))


def test_a_probe_finds_what_no_name_tells() -> None:
    model = Blurred(hf.BertConfig(**tiny.ONE)).train()
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
        model = hf.BertForMaskedLM(hf.BertConfig(**tiny.ONE))
    use_attention(model, "document").remove()

    class Needy(hf.BertModel):  # type: ignore[misc]
        def forward(self, input_ids: Any = None, image: Any = None, **more: Any) -> Any:
            raise ValueError(f"no image {image}")

    probe_documents(Needy(hf.BertConfig(**tiny.ONE)))


def test_a_refused_pattern_leaves_a_named_mixer_as_it_was() -> None:
    model = family("EsmForMaskedLM", *MIXING["EsmForMaskedLM"][:2])
    former = use_attention(model, "window:left=2,right=2")
    with pytest.raises(OptionError, match="mixes tokens"):
        use_attention(model, "document")
    assert model.config._attn_implementation == "maskplug"
    former.remove()


@pytest.mark.parametrize(
    ("config", "options"), [("ConvBert", {"embedding_size": 16, "head_ratio": 1}), ("FNet", {})]
)
def test_packing_for_a_mixer_is_warned_of_with_another_remedy(
    config: str, options: dict[str, Any]
) -> None:
    model = family(f"{config}ForMaskedLM", config, options)
    collator = DataCollatorForPacking(tokenizers.bert(), "dynamic", max_length=24)
    with pytest.warns(MaskplugWarning, match=r"mixes tokens outside of attention .*own row"):
        collator.as_attached(model)
