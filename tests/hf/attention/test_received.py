"""What a model really received, read from the model's own computation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from torch import nn

from maskplug.errors import OptionError
from maskplug_hf.attention.received import Received, received

SIZE = {"vocab_size": 20, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
SIZE |= {"intermediate_size": 16, "max_position_embeddings": 32, "pad_token_id": 0}
BART = {"vocab_size": 20, "d_model": 16, "encoder_layers": 2, "decoder_layers": 2}
BART |= {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 16}
BART |= {"decoder_ffn_dim": 16, "max_position_embeddings": 32}
T5 = {"vocab_size": 20, "d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 2, "num_heads": 2}
IDS = torch.tensor([[5, 6, 7, 8], [5, 6, 0, 0]])
VALID = (IDS != 0).long()
BOTH = pytest.mark.parametrize("implementation", ["sdpa", "eager"])


def made(kind: Any, config: Any, implementation: str = "sdpa", **size: Any) -> Any:
    torch.manual_seed(0)
    return kind(config(**size, attn_implementation=implementation)).eval()


def bert(implementation: str = "sdpa", **options: Any) -> Any:
    return made(hf.BertModel, hf.BertConfig, implementation, **SIZE, **options)


def llama(implementation: str = "sdpa", **options: Any) -> Any:
    return made(hf.LlamaForCausalLM, hf.LlamaConfig, implementation, **SIZE, **options)


def sites(seen: list[Received]) -> list[tuple[str, int | None]]:
    return [(one.place, one.depth) for one in seen]


def same(seen: list[Received], *masks: Any) -> bool:
    return all(
        np.array_equal(one.mask, np.broadcast_to(mask, one.mask.shape))
        for one, mask in zip(seen, masks, strict=True)
    )


@BOTH
def test_bert_hides_padding(implementation: str) -> None:
    model = bert(implementation)
    seen = received(model, input_ids=IDS, attention_mask=VALID)
    assert sites(seen) == [("encoder", 0), ("encoder", 1)]
    assert [one.module for one in seen] == [
        f"encoder.layer.{depth}.attention.self" for depth in (0, 1)
    ]
    assert seen[0].mask.shape == (2, 1, 4, 4)
    assert same(seen, *[VALID[:, None, None].bool().numpy()] * 2)
    assert not seen[0].mask.flags.writeable
    assert repr(seen[1]) == "<Received encoder 1 'encoder.layer.1.attention.self' 2×1×4×4>"


@BOTH
@pytest.mark.parametrize("padded", [False, True])
def test_llama_is_causal_also_where_no_mask_says_so(implementation: str, padded: bool) -> None:
    model = llama(implementation)
    batch = {"input_ids": IDS} | ({"attention_mask": VALID} if padded else {})
    seen = received(model, **batch)
    assert sites(seen) == [("decoder", 0), ("decoder", 1)]
    triangle = np.tri(4, dtype=bool)
    real = VALID.bool().numpy()
    for one in seen:
        if padded:
            assert (one.mask[0, 0] == triangle).all()
            assert (one.mask[1, 0][real[1]] == (triangle & real[1])[real[1]]).all()
        else:
            assert one.mask.shape == (2, 1, 4, 4)
            assert (one.mask == triangle).all()


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("groups", [1, 2])
@BOTH
def test_a_new_token_sees_what_is_cached(implementation: str, groups: int, padded: bool) -> None:
    """transformers turns the heads that share keys into queries here, if there is a mask."""
    model = llama(implementation, num_key_value_heads=2 // groups)
    valid = torch.tensor([[1, 1, 1], [0, 1, 1]]) if padded else torch.ones(2, 3).long()
    before = model(IDS[:, :2], attention_mask=valid[:, :2], use_cache=True).past_key_values
    seen = received(model, input_ids=IDS[:, :1], attention_mask=valid, past_key_values=before)
    assert [one.mask.shape for one in seen] == [(2, 1, 1, 3)] * 2
    assert same(seen, *[valid[:, None, None].bool().numpy()] * 2)


@BOTH
def test_heads_that_share_keys_have_masks_like_others(implementation: str) -> None:
    model = llama(implementation, num_key_value_heads=1)
    seen = received(model, input_ids=IDS[:, :2])  # as many queries as heads share a key
    assert same(seen, *[np.tri(2, dtype=bool)] * 2)


@BOTH
@pytest.mark.parametrize("kind", ["t5", "bart"])
def test_encoder_decoder_and_cross_attention_are_told_apart(kind: str, implementation: str) -> None:
    if kind == "t5":
        size = {**T5, "decoder_start_token_id": 0}
        model = made(hf.T5ForConditionalGeneration, hf.T5Config, implementation, **size)
    else:
        model = made(hf.BartForConditionalGeneration, hf.BartConfig, implementation, **BART)
    target = torch.tensor([[2, 5, 6], [2, 5, 6]])
    batch = {"input_ids": IDS, "attention_mask": VALID, "decoder_input_ids": target}
    seen = received(model, **batch)
    encoder = [("encoder", 0), ("encoder", 1)]
    decoder = [("decoder", 0), ("cross", 0), ("decoder", 1), ("cross", 1)]
    assert sites(seen) == encoder + decoder
    source, triangle = VALID[:, None, None].bool().numpy(), np.tri(3, dtype=bool)
    assert same(seen, source, source, *[triangle, source] * 2)


def test_a_mask_of_each_head_keeps_its_heads() -> None:
    asked = torch.rand(2, 2, 4, 4) < 0.5
    asked |= torch.eye(4, dtype=torch.bool)
    added = torch.zeros(2, 2, 4, 4).masked_fill(~asked, torch.finfo(torch.float32).min)
    for implementation in ("sdpa", "eager"):
        seen = received(bert(implementation), input_ids=IDS, attention_mask=added)
        assert same(seen, asked.numpy(), asked.numpy())


@pytest.mark.parametrize("hidden", [-math.inf, -1e8, -3e38])
@pytest.mark.parametrize("weights", [False, True])
def test_multihead_attention_of_torch(hidden: float, weights: bool) -> None:
    torch.manual_seed(0)
    layer = nn.MultiheadAttention(8, 2).eval()
    tokens = torch.randn(4, 3, 8)
    asked = torch.rand(3 * 2, 4, 4) < 0.5
    added = torch.zeros(6, 4, 4).masked_fill(~asked, hidden)
    seen = received(layer, tokens, tokens, tokens, attn_mask=added, need_weights=weights)
    assert [one.mask.shape for one in seen] == [(3, 2, 4, 4)]
    assert same(seen, asked.reshape(3, 2, 4, 4).numpy())


def test_transformer_of_torch() -> None:
    torch.manual_seed(0)
    model = nn.Transformer(8, 2, 1, 1, 8, batch_first=True).eval()
    triangle = nn.Transformer.generate_square_subsequent_mask(3)
    padding = VALID == 0
    seen = received(
        model,
        torch.randn(2, 4, 8),
        torch.randn(2, 3, 8),
        tgt_mask=triangle,
        src_key_padding_mask=padding,
        memory_key_padding_mask=padding,
    )
    assert sites(seen) == [("encoder", 0), ("decoder", 0), ("cross", 0)]
    source = ~padding[:, None, None].numpy()
    assert same(seen, source, np.tri(3, dtype=bool), source)


class Halves(nn.Module):
    """Scores in half precision, a softmax over a vocabulary, and one over experts."""

    def forward(self, scores: torch.Tensor) -> torch.Tensor:
        torch.softmax(torch.randn(2, 3, 20), -1)
        torch.randn(2, 3, 4, 4).softmax(1)
        torch.randn(6, 4).softmax(dim=-1)
        return torch.softmax(scores, dim=3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_and_other_softmaxes(dtype: torch.dtype) -> None:
    asked = torch.rand(1, 2, 4, 4) < 0.5
    scores = (4 * torch.randn(1, 2, 4, 4)).to(dtype).masked_fill(~asked, -1e4)
    assert same(received(Halves(), scores), asked.numpy())


def test_nothing_is_left_behind() -> None:
    model = bert(attention_probs_dropout_prob=0.5).train()
    before = [dict(vars(module)) for module in model.modules()]
    state = torch.random.get_rng_state()
    received(model, input_ids=IDS)
    assert torch.equal(torch.random.get_rng_state(), state)
    with pytest.raises(ValueError, match="input_ids"):
        received(model)
    for module, attributes in zip(model.modules(), before, strict=True):
        assert vars(module) == attributes
        assert not module._forward_hooks
        assert not module._forward_pre_hooks


def test_a_model_without_attention_is_refused() -> None:
    with pytest.raises(OptionError, match="no attention was seen"):
        received(nn.Linear(2, 2), torch.zeros(1, 2))


def _family(name: str, **options: Any) -> Any:
    size = {"vocab_size": 50, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2}
    size |= {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8, "pad_token_id": 0}
    size |= {"bos_token_id": 1, "eos_token_id": 2, "sliding_window": 4}
    size |= {"layer_types": ["sliding_attention", "full_attention"]}
    torch.manual_seed(0)
    config = getattr(hf, f"{name}Config")(**size, **options)
    return getattr(hf, f"{name}Model")(config).eval()


@pytest.mark.parametrize(
    "name", ["GptOss", "Flint", "MiMoV2Flash", "OpenAIPrivacyFilter"], ids=str.lower
)
@pytest.mark.parametrize("training", [False, True])
def test_attention_sinks_are_no_keys(name: str, training: bool) -> None:
    ids = torch.arange(3, 15)[None]
    for one in received(_family(name).train(training), input_ids=ids):
        assert one.mask.shape[2:] == (12, 12), one
        near = np.abs(np.subtract.outer(np.arange(12), np.arange(12))) <= 4
        assert not one.mask[0, 0][~near].any() or (one.mask[0, 0] == np.tri(12, dtype=bool)).all()


@pytest.mark.parametrize("cut", ["last", "first", "narrow"])
def test_columns_that_a_model_drops_from_its_weights_are_left_out(cut: str) -> None:
    class Attention(torch.nn.Module):
        def forward(self, scores: Any) -> Any:
            sink = torch.zeros(*scores.shape[:-1], 1)
            both = [sink, scores] if cut == "first" else [scores, sink]
            weights = torch.softmax(torch.cat(both, -1), -1)
            weights = torch.nn.functional.dropout(weights, 0.5, training=True).double()
            if cut == "narrow":
                return weights.narrow(-1, 0, 3)
            return weights[..., 1:] if cut == "first" else weights[:, :, :, :-1]

    scores = torch.zeros(1, 2, 3, 3).masked_fill(~torch.ones(3, 3).tril().bool(), -1e9)
    assert (received(Attention(), scores)[0].mask[0, 0] == np.tri(3, dtype=bool)).all()


@pytest.mark.parametrize("options", [{"add_bias_kv": True}, {"add_zero_attn": True}])
@pytest.mark.parametrize("weights", [False, True])
def test_biases_that_torch_adds_to_the_keys_are_no_keys(
    options: dict[str, Any], weights: bool
) -> None:
    attention = torch.nn.MultiheadAttention(8, 2, batch_first=True, **options).eval()
    x = torch.zeros(1, 5, 8)
    seen = received(
        attention, x, x, x, attn_mask=~torch.ones(5, 5).tril().bool(), need_weights=weights
    )
    assert (seen[0].mask[0, 0] == np.tri(5, dtype=bool)).all()
