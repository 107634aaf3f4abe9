"""``Window.huggingface`` is the window that models of transformers have, family by family."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from transformers.models.embedding_gemma2.modeling_embedding_gemma2 import EmbeddingGemma2TextModel
from transformers.models.t5gemma2.modeling_t5gemma2 import T5Gemma2TextEncoder

from maskplug.attention import Window
from maskplug.errors import OptionError
from maskplug_hf.attention import received

SIZE: dict[str, Any] = {"vocab_size": 50, "hidden_size": 16, "intermediate_size": 16}
SIZE |= {"num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1}
SIZE |= {"head_dim": 8, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
LAYERS = {"layer_types": ["sliding_attention", "full_attention"]}
MODERN = {"global_attn_every_n_layers": 2, "cls_token_id": 2, "sep_token_id": 3}
EXPERTS = {"num_local_experts": 2, "num_experts_per_tok": 1}
GEMMA4 = {"vocab_size_per_layer_input": 50, "hidden_size_per_layer_input": 8, "global_head_dim": 8}
CAUSAL, BOTH = {"causal": True}, {"causal": False}
EXCLUSIVE, TOTAL = {**BOTH, "bound": "exclusive"}, {**BOTH, "bound": "total"}
#: Config, model, the config's options, and how its number is to be read.
FAMILIES: dict[str, tuple[Any, Any, dict[str, Any], dict[str, Any]]] = {
    "mistral": (hf.MistralConfig, hf.MistralModel, {}, CAUSAL),
    "gemma2": (hf.Gemma2Config, hf.Gemma2Model, LAYERS, CAUSAL),
    "gemma3": (hf.Gemma3TextConfig, hf.Gemma3TextModel, LAYERS, CAUSAL),
    "gpt_oss": (hf.GptOssConfig, hf.GptOssModel, LAYERS | EXPERTS, CAUSAL),
    "modernbert decoder": (hf.ModernBertDecoderConfig, hf.ModernBertDecoderModel, LAYERS, CAUSAL),
    "mistral to both sides": (hf.MistralConfig, hf.MistralModel, {"is_causal": False}, BOTH),
    "modernbert": (hf.ModernBertConfig, hf.ModernBertModel, MODERN, BOTH),
    "ultrabert": (hf.UltrabertConfig, hf.UltrabertModel, LAYERS, BOTH),
    "embedding gemma 2": (hf.EmbeddingGemma2TextConfig, EmbeddingGemma2TextModel, LAYERS, BOTH),
    "gemma4 to both sides": (
        hf.Gemma4TextConfig,
        hf.Gemma4TextModel,
        {**LAYERS, **GEMMA4, "use_bidirectional_attention": "all"},
        BOTH,
    ),
    "gemma3 to both sides": (
        hf.Gemma3TextConfig,
        hf.Gemma3TextModel,
        {**LAYERS, "use_bidirectional_attention": True},
        EXCLUSIVE,
    ),
    "t5gemma2": (
        hf.T5Gemma2TextConfig,
        T5Gemma2TextEncoder,
        {**LAYERS, "dropout_rate": 0.0},
        TOTAL,
    ),
}


@pytest.mark.parametrize("family", list(FAMILIES))
@pytest.mark.parametrize("number", [4, 7])
def test_windows_are_those_that_models_receive(family: str, number: int) -> None:
    config_of, kind, options, read = FAMILIES[family]
    torch.manual_seed(0)
    option = "local_attention" if family == "modernbert" else "sliding_window"
    config = config_of(**{**SIZE, option: number, **options})
    ids = torch.arange(3, 23)[None]
    first = received(kind(config).eval(), input_ids=ids, attention_mask=torch.ones_like(ids))
    masks = [one.mask[0, 0] for one in first]
    window = Window.huggingface(config.sliding_window, **read).dense(20)[0, 0]
    assert any(np.array_equal(mask, window) for mask in masks), (family, config.sliding_window)
    assert not window.all()


def test_t5gemma_s_encoder_counts_each_side() -> None:
    one = {**SIZE, **LAYERS, "sliding_window": 4}
    config = hf.T5GemmaConfig(encoder=one, decoder=one, vocab_size=50)
    ids = torch.arange(3, 23)[None]
    first = received(hf.T5GemmaModel(config).eval().encoder, input_ids=ids)
    assert (first[0].mask[0, 0] == Window.huggingface(4, causal=False).dense(20)[0, 0]).all()


def test_unknown_bounds_are_refused() -> None:
    with pytest.raises(OptionError, match="'bound' is 'open'; choices: 'inclusive', 'exclusive'"):
        Window.huggingface(4, causal=False, bound="open")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="'sliding_window' is 0"):
        Window.huggingface(0, causal=False, bound="exclusive")
