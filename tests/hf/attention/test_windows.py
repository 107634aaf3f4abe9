"""``Window.huggingface`` equals the window that transformers models use, for every family."""

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
from support import attention_models as tiny

SIZE: dict[str, Any] = {"vocab_size": 50, "hidden_size": 16, "intermediate_size": 16}
SIZE |= {"num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1}
SIZE |= {"head_dim": 8, "pad_token_id": 0, **tiny.SPECIAL}
LAYERS = {"layer_types": ["sliding_attention", "full_attention"]}
MODERN = {"global_attn_every_n_layers": 2, "cls_token_id": 2, "sep_token_id": 3}
EXPERTS = {**LAYERS, "num_local_experts": 2, "num_experts_per_tok": 1}
GEMMA4 = {"vocab_size_per_layer_input": 50, "hidden_size_per_layer_input": 8, "global_head_dim": 8}
GEMMA4 |= {**LAYERS, "use_bidirectional_attention": "all"}
GEMMA3 = {**LAYERS, "use_bidirectional_attention": True}
CAUSAL, BOTH = {"causal": True}, {"causal": False}
EXCLUSIVE, TOTAL = {**BOTH, "bound": "exclusive"}, {**BOTH, "bound": "total"}
#: Model class, options of its config, and arguments of ``Window.huggingface``.
FAMILIES: dict[str, tuple[Any, dict[str, Any], dict[str, Any]]] = {
    "mistral": ("MistralModel", {}, CAUSAL),
    "gemma2": ("Gemma2Model", LAYERS, CAUSAL),
    "gemma3": ("Gemma3TextModel", LAYERS, CAUSAL),
    "gpt_oss": ("GptOssModel", EXPERTS, CAUSAL),
    "modernbert decoder": ("ModernBertDecoderModel", LAYERS, CAUSAL),
    "bidirectional mistral": ("MistralModel", {"is_causal": False}, BOTH),
    "modernbert": ("ModernBertModel", MODERN, BOTH),
    "ultrabert": ("UltrabertModel", LAYERS, BOTH),
    "embedding gemma 2": (EmbeddingGemma2TextModel, LAYERS, BOTH),
    "bidirectional gemma4": ("Gemma4TextModel", GEMMA4, BOTH),
    "bidirectional gemma3": ("Gemma3TextModel", GEMMA3, EXCLUSIVE),
    "t5gemma2": (T5Gemma2TextEncoder, {**LAYERS, "dropout_rate": 0.0}, TOTAL),
}


@pytest.mark.parametrize("family", list(FAMILIES))
@pytest.mark.parametrize("size", [4, 7])
def test_window_equals_the_mask_of_the_model(family: str, size: int) -> None:
    model_class, options, arguments = FAMILIES[family]
    option = "local_attention" if family == "modernbert" else "sliding_window"
    model = tiny.build(model_class, **{**SIZE, option: size, **options})
    ids = torch.arange(3, 23)[None]
    records = received(model, input_ids=ids, attention_mask=torch.ones_like(ids))
    window = Window.huggingface(model.config.sliding_window, **arguments).dense(20)[0, 0]
    assert any(np.array_equal(record.mask[0, 0], window) for record in records)
    assert not window.all()


def test_window_of_the_t5gemma_encoder() -> None:
    stack = {**SIZE, **LAYERS, "sliding_window": 4}
    model = hf.T5GemmaModel(hf.T5GemmaConfig(encoder=stack, decoder=stack, vocab_size=50)).eval()
    first = received(model.encoder, input_ids=torch.arange(3, 23)[None])[0]
    assert (first.mask[0, 0] == Window.huggingface(4, causal=False).dense(20)[0, 0]).all()


@pytest.mark.parametrize(
    ("size", "bound", "message"),
    [
        (4, "open", "'bound' is 'open'; choices: 'inclusive', 'exclusive'"),
        (0, "exclusive", "'sliding_window' is 0"),
    ],
)
def test_invalid_windows_are_rejected(size: int, bound: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Window.huggingface(size, causal=False, bound=bound)
