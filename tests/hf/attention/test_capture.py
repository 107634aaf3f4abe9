"""received() returns the masks that a model's own computation uses; compare() their differences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from maskplug.errors import OptionError
from maskplug_hf.attention import Received, compare, received
from support import attention_models as tiny

CAUSAL = np.tri(3, dtype=bool)
FULL = np.ones((3, 3), bool)
IDS = torch.tensor([[5, 6, 7, 8], [5, 6, 0, 0]])
VALID = (IDS != 0).long()
REAL = VALID[:, None, None].bool().numpy()
backends = pytest.mark.parametrize("backend", ["sdpa", "eager"])


def bert(backend: str = "sdpa", **options: Any) -> Any:
    return tiny.build("BertModel", **tiny.SIZE, attn_implementation=backend, **options)


def roles(records: list[Received]) -> list[tuple[str, int | None]]:
    return [(record.attention_kind, record.layer_idx) for record in records]


def equal(records: list[Received], *masks: Any) -> bool:
    return all(
        np.array_equal(record.mask, np.broadcast_to(mask, record.mask.shape))
        for record, mask in zip(records, masks, strict=True)
    )


@backends
def test_bert_hides_padding(backend: str) -> None:
    records = received(bert(backend), input_ids=IDS, attention_mask=VALID)
    assert roles(records) == [("encoder", 0), ("encoder", 1)]
    assert [record.module for record in records] == [
        f"encoder.layer.{layer_idx}.attention.self" for layer_idx in (0, 1)
    ]
    assert records[0].mask.shape == (2, 1, 4, 4)
    assert equal(records, REAL, REAL)
    assert not records[0].mask.flags.writeable
    assert repr(records[1]) == "<Received encoder 1 'encoder.layer.1.attention.self' 2×1×4×4>"


@backends
@pytest.mark.parametrize("padded", [False, True])
def test_llama_is_causal_with_and_without_a_mask(backend: str, padded: bool) -> None:
    model = tiny.model("llama", attn_implementation=backend)
    records = received(model, input_ids=IDS, **({"attention_mask": VALID} if padded else {}))
    assert roles(records) == [("decoder", 0), ("decoder", 1)]
    causal, valid = np.tri(4, dtype=bool), VALID.numpy() if padded else None
    for record in records:
        assert record.mask.shape == (2, 1, 4, 4)
        assert not compare(causal & REAL if padded else causal, record.mask, valid)


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("groups", [1, 2])
@backends
def test_generated_token_sees_the_cache(backend: str, groups: int, padded: bool) -> None:
    """With a mask, transformers passes heads that share keys as queries."""
    options = {"attn_implementation": backend, "num_key_value_heads": 2 // groups}
    model = tiny.model("llama", **options)
    valid = torch.tensor([[1, 1, 1], [0, 1, 1]]) if padded else torch.ones(2, 3).long()
    cache = model(IDS[:, :2], attention_mask=valid[:, :2], use_cache=True).past_key_values
    records = received(model, input_ids=IDS[:, :1], attention_mask=valid, past_key_values=cache)
    assert [record.mask.shape for record in records] == [(2, 1, 1, 3)] * 2
    assert equal(records, *[valid[:, None, None].bool().numpy()] * 2)


@backends
def test_as_many_queries_as_heads_that_share_keys(backend: str) -> None:
    model = tiny.model("llama", attn_implementation=backend)
    assert equal(received(model, input_ids=IDS[:, :2]), *[np.tri(2, dtype=bool)] * 2)


@backends
@pytest.mark.parametrize("name", tiny.SEQ2SEQ)
def test_attention_kinds_of_an_encoder_decoder(name: str, backend: str) -> None:
    model = tiny.model(name, attn_implementation=backend)
    target = torch.tensor([[2, 5, 6], [2, 5, 6]])
    batch = {"input_ids": IDS, "attention_mask": VALID, "decoder_input_ids": target}
    records = received(model, **batch)
    decoder = [("decoder", 0), ("cross", 0), ("decoder", 1), ("cross", 1)]
    assert roles(records) == [("encoder", 0), ("encoder", 1), *decoder]
    assert equal(records, REAL, REAL, *[np.tri(3, dtype=bool), REAL] * 2)


@backends
def test_masks_that_differ_between_heads(backend: str) -> None:
    mask = torch.rand(2, 2, 4, 4) < 0.5
    mask |= torch.eye(4, dtype=torch.bool)
    records = received(bert(backend), input_ids=IDS, attention_mask=tiny.additive(mask))
    assert equal(records, mask.numpy(), mask.numpy())


@pytest.mark.parametrize("hidden", [-math.inf, -1e8, -3e38])
@pytest.mark.parametrize("weights", [False, True])
def test_multihead_attention_of_torch(hidden: float, weights: bool) -> None:
    torch.manual_seed(0)
    layer = nn.MultiheadAttention(8, 2).eval()
    tokens = torch.randn(4, 3, 8)
    mask = torch.rand(3 * 2, 4, 4) < 0.5
    added = torch.zeros(6, 4, 4).masked_fill(~mask, hidden)
    records = received(layer, tokens, tokens, tokens, attn_mask=added, need_weights=weights)
    assert [record.mask.shape for record in records] == [(3, 2, 4, 4)]
    assert equal(records, mask.reshape(3, 2, 4, 4).numpy())


def test_transformer_of_torch() -> None:
    torch.manual_seed(0)
    model = nn.Transformer(8, 2, 1, 1, 8, batch_first=True).eval()
    records = received(
        model,
        torch.randn(2, 4, 8),
        torch.randn(2, 3, 8),
        tgt_mask=nn.Transformer.generate_square_subsequent_mask(3),
        src_key_padding_mask=VALID == 0,
        memory_key_padding_mask=VALID == 0,
    )
    assert roles(records) == [("encoder", 0), ("decoder", 0), ("cross", 0)]
    assert equal(records, REAL, np.tri(3, dtype=bool), REAL)


class Softmaxes(nn.Module):
    """Scores in half precision, a softmax over a vocabulary, and one over experts."""

    def forward(self, scores: torch.Tensor) -> torch.Tensor:
        torch.softmax(torch.randn(2, 3, 20), -1)
        torch.randn(2, 3, 4, 4).softmax(1)
        torch.randn(6, 4).softmax(dim=-1)
        return torch.softmax(scores, dim=3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_and_other_softmaxes(dtype: torch.dtype) -> None:
    mask = torch.rand(1, 2, 4, 4) < 0.5
    scores = (4 * torch.randn(1, 2, 4, 4)).to(dtype).masked_fill(~mask, -1e4)
    assert equal(received(Softmaxes(), scores), mask.numpy())


def test_model_and_random_generator_are_unchanged() -> None:
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
    assert not torch.nn.modules.module._global_forward_hooks
    assert not torch.nn.modules.module._global_forward_pre_hooks


def test_model_without_attention_is_rejected() -> None:
    with pytest.raises(OptionError, match="no attention was found"):
        received(nn.Linear(2, 2), torch.zeros(1, 2))


@pytest.mark.parametrize(
    "name", ["GptOss", "Flint", "MiMoV2Flash", "OpenAIPrivacyFilter"], ids=str.lower
)
@pytest.mark.parametrize("training", [False, True])
def test_attention_sinks_are_not_keys(name: str, training: bool) -> None:
    size = {**tiny.LLAMA, "head_dim": 8, "sliding_window": 4}
    size |= {"layer_types": ["sliding_attention", "full_attention"]}
    model = tiny.build(f"{name}Model", **size).train(training)
    near = np.abs(np.subtract.outer(np.arange(12), np.arange(12))) <= 4
    for record in received(model, input_ids=torch.arange(3, 15)[None]):
        assert record.mask.shape[2:] == (12, 12), record
        mask = record.mask[0, 0]
        assert not mask[~near].any() or (mask == np.tri(12, dtype=bool)).all()


@pytest.mark.parametrize("position", ["last", "first", "narrow"])
def test_columns_that_a_model_drops_from_its_weights_are_left_out(position: str) -> None:
    class Attention(torch.nn.Module):
        def forward(self, scores: Any) -> Any:
            sink = torch.zeros(*scores.shape[:-1], 1)
            both = [sink, scores] if position == "first" else [scores, sink]
            weights = torch.softmax(torch.cat(both, -1), -1)
            weights = torch.nn.functional.dropout(weights, 0.5, training=True).double()
            if position == "narrow":
                return weights.narrow(-1, 0, 3)
            return weights[..., 1:] if position == "first" else weights[:, :, :, :-1]

    scores = torch.zeros(1, 2, 3, 3).masked_fill(~torch.ones(3, 3).tril().bool(), -1e9)
    assert (received(Attention(), scores)[0].mask[0, 0] == np.tri(3, dtype=bool)).all()


@pytest.mark.parametrize("options", [{"add_bias_kv": True}, {"add_zero_attn": True}])
@pytest.mark.parametrize("weights", [False, True])
def test_biases_that_torch_adds_to_the_keys_are_not_keys(
    options: dict[str, Any], weights: bool
) -> None:
    layer = torch.nn.MultiheadAttention(8, 2, batch_first=True, **options).eval()
    x, hidden = torch.zeros(1, 5, 8), ~torch.ones(5, 5).tril().bool()
    records = received(layer, x, x, x, attn_mask=hidden, need_weights=weights)
    assert (records[0].mask[0, 0] == np.tri(5, dtype=bool)).all()


def test_leaks_and_lost_cells_are_listed() -> None:
    assert not compare(CAUSAL, np.stack([CAUSAL, CAUSAL])[:, None])
    got = np.stack([CAUSAL, FULL])[:, None]
    got[1, 0, 2, 0] = False
    difference = compare(CAUSAL, got)
    assert difference
    assert difference.leaks.tolist() == [[1, 0, 0, 1], [1, 0, 0, 2], [1, 0, 1, 2]]
    assert difference.lost.tolist() == [[1, 0, 2, 0]]
    assert str(difference).splitlines() == [
        "3 cells visible but not requested; first: sample 1, head 0, query 0, key 1",
        "1 cell requested but not visible; first: sample 1, head 0, query 2, key 0",
    ]


def test_heads_and_samples_are_broadcast() -> None:
    asked = np.ones((1, 2, 3, 3), bool)
    asked[0, 1] = CAUSAL
    difference = compare(asked, np.ones((2, 1, 3, 3), bool))
    assert len(difference.lost) == 0
    assert {tuple(cell[:2]) for cell in difference.leaks.tolist()} == {(0, 1), (1, 1)}


def test_rows_of_padding_are_ignored() -> None:
    got = np.stack([CAUSAL, CAUSAL])[:, None].copy()
    got[1, 0, 2] = False
    assert len(compare(CAUSAL, got).lost) == 3
    assert not compare(CAUSAL, got, valid=[[1, 1, 1], [1, 1, 0]])
    assert compare(CAUSAL, got, valid=[[1, 1, 0], [1, 1, 1]])


@pytest.mark.parametrize(
    ("asked", "got", "valid", "message"),
    [
        (CAUSAL, np.ones((3, 4), bool), None, "shapes do not match"),
        (CAUSAL, np.ones((1, 3), bool), None, "shapes do not match"),
        (np.ones((2, 1, 3, 3), bool), np.ones((3, 1, 3, 3), bool), None, "shapes do not match"),
        (CAUSAL, CAUSAL, [[1, 1]], "shapes do not match"),
        (np.ones((2, 1, 3, 3), bool), CAUSAL, np.ones((3, 3)), "shapes do not match"),
        (np.ones(3, bool), CAUSAL, None, "masks are bool"),
        (np.ones((3, 3)), CAUSAL, None, "masks are bool"),
        (np.ones((1, 1, 1, 3, 3), bool), CAUSAL, None, "masks are bool"),
    ],
)
def test_masks_that_cannot_be_compared_raise(
    asked: Any, got: Any, valid: Any, message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        compare(asked, got, valid)
