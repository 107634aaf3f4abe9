"""Columns of a batch that patterns read: documents, sample keys, annotations of other patterns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.checkpoint import checkpoint
from transformers import DataCollatorWithFlattening

import maskplug
from maskplug.attention import AttentionCall, Intervals, Pattern
from maskplug.errors import OptionError, TokenError
from maskplug_hf.attention import use_attention
from support import attention_models as tiny

FIRST, SECOND = [5, 6, 7, 8], [9, 10, 11]


@pytest.mark.parametrize("name", tiny.ENCODERS)
@pytest.mark.parametrize("column", ["position_ids", "document_ids", "documents"])
def test_packed_documents_equal_separate_ones(name: str, column: str) -> None:
    model = tiny.model(name)
    separate = torch.cat([model(torch.tensor([row])).logits[0] for row in (FIRST, SECOND)])
    packed = DataCollatorWithFlattening()([{"input_ids": r, "labels": r} for r in (FIRST, SECOND)])
    shift = model.config.pad_token_id + 1 if name == "roberta" else 0
    inputs = {"input_ids": packed["input_ids"], "position_ids": packed["position_ids"] + shift}
    stock = model(**inputs).logits[0]
    if column != "position_ids":
        inputs[column] = torch.tensor([[3] * 4 + [1] * 3])
    use_attention(model, "document")
    assert tiny.distance(model(**inputs).logits[0], separate) < 1e-5
    assert tiny.distance(stock, separate) > 1e-4


def test_missing_column_is_named() -> None:
    model, inputs = tiny.model("bert"), tiny.batch("bert")
    use_attention(model, "window:left=2 & document")
    with pytest.raises(TokenError, match=r"'documents' \(or 'document_ids'\).*remove_unused_col"):
        model(**inputs)
    model(**inputs, document_ids=torch.ones(2, 9).long())  # the error left nothing behind
    model, inputs = tiny.model("t5"), tiny.batch("t5")
    use_attention(model, decoder="document")
    with pytest.raises(TokenError, match=r"'decoder_documents' \(or 'decoder_document_ids'\)"):
        model(**inputs, document_ids=torch.ones(2, 9).long())


def test_columns_are_removed_unless_the_model_takes_them() -> None:
    model, inputs = tiny.model("bert"), tiny.batch("bert")
    names: list[set[str]] = []
    model.register_forward_pre_hook(lambda m, a, kw: names.append(set(kw)), with_kwargs=True)
    use_attention(model, "full")
    columns = {"sample_keys": torch.tensor([1, 2]), "document_ids": torch.ones(2, 9)}
    model(**inputs, token_type_ids=torch.zeros(2, 9, dtype=torch.long), **columns)
    assert names == [{"input_ids", "attention_mask", "token_type_ids"}]


def test_encoder_and_decoder_have_separate_columns() -> None:
    model, inputs = tiny.model("bart"), tiny.batch("bart")
    inputs["attention_mask"][:] = 1
    source = torch.tensor([[0] * 4 + [1] * 5, [0] * 2 + [1] * 7])
    target = torch.tensor([[0] * 3 + [1] * 3, [0] * 5 + [1]])
    handle = use_attention(model, encoder="document", decoder="document", cross="document")
    columns = {"document_ids": source, "decoder_documents": target}
    masks = tiny.masks_by_layer(model, handle, **inputs, **columns)
    expected = {
        "encoder": source[:, :, None] == source[:, None],
        "decoder": (target[:, :, None] == target[:, None]) & torch.ones(6, 6).bool().tril(),
        "cross": target[:, :, None] == source[:, None],
    }
    assert {(kind, layer_idx) for kind in expected for layer_idx in (0, 1)} == set(masks)
    for (kind, _), mask in masks.items():
        assert torch.equal(mask[:, 0], expected[kind]), kind


@pytest.mark.parametrize("name", ["bert", "llama", "t5"])
def test_pattern_may_differ_between_layers_and_attention_kinds(name: str) -> None:
    model, inputs = tiny.model(name), tiny.batch(name)
    inputs["attention_mask"][:] = 1
    kinds = [kind for kind in tiny.patterns(name) if kind != "cross"]
    handle = use_attention(model, **{kind: tiny.ByLayer() for kind in kinds})
    masks = tiny.masks_by_layer(model, handle, **inputs)
    for kind in kinds:
        for layer_idx in (0, 1):
            mask = masks[kind, layer_idx][0, 0]
            expected = tiny.ByLayer().dense(*mask.shape, attention_kind=kind, layer_idx=layer_idx)[
                0, 0
            ]
            assert np.array_equal(mask.numpy(), expected), (kind, layer_idx)


@pytest.mark.parametrize("groups", [1, 2])
def test_layers_that_share_a_module_are_counted(groups: int) -> None:
    size = {**tiny.SIZE, "embedding_size": 8, "num_hidden_layers": 4, "inner_group_num": 2}
    model = tiny.build("AlbertModel", **size, num_hidden_groups=groups)
    ids = tiny.batch("bert")["input_ids"]
    handle = use_attention(model, tiny.ByLayer())
    for _ in range(2):
        masks = tiny.masks_by_layer(model, handle, input_ids=ids)
        assert sorted(layer_idx for _, layer_idx in masks) == list(range(8))
        for (_, layer_idx), mask in masks.items():
            assert np.array_equal(mask[:1].numpy(), tiny.ByLayer().dense(9, layer_idx=layer_idx))
    group = model.encoder.albert_layer_groups[0]
    plain = group.forward
    group.forward = lambda *args, **more: checkpoint(plain, *args, **more, use_reentrant=False)
    loss = model.train()(ids).last_hidden_state.sum()
    with pytest.raises(OptionError, match="the 8 layers of AlbertAttention share modules"):
        loss.backward()


class CountedWindow(maskplug.attention.Window):
    """A window that counts how often it is rendered."""

    calls = 0

    def rows(self, call: AttentionCall) -> Intervals:
        CountedWindow.calls += 1
        return super().rows(call)


@pytest.mark.parametrize(("name", "calls"), [("bert", 1), ("modernbert", 1), ("t5", 2)])
def test_pattern_is_rendered_once_for_all_layers(name: str, calls: int) -> None:
    model, inputs = tiny.model(name), tiny.batch(name)
    kinds = [kind for kind in tiny.patterns(name) if kind != "decoder"]
    use_attention(model, **dict.fromkeys(kinds, CountedWindow(left=3, right=3)))
    CountedWindow.calls = 0
    model(**inputs)
    assert CountedWindow.calls == calls


def test_draws_depend_on_seed_step_key_layer_and_head_only() -> None:
    model, inputs = tiny.model("bert"), tiny.batch("bert")
    inputs["attention_mask"][:] = 1

    def masks(seed: int = 0, step: int = 0, each: bool = True, **keys: Any) -> list[torch.Tensor]:
        handle = use_attention(model, tiny.RandomKeys(each), seed=seed)
        handle.set_time(step=step)
        by_layer = tiny.masks_by_layer(model, handle, **inputs, **keys)
        return [by_layer["encoder", layer_idx] for layer_idx in (0, 1)]

    keys = {"sample_keys": torch.tensor([8, -1])}  # the bits of uint64 keys
    first, second = masks(**keys)
    options = {"heads": 2, "layer_idx": 1, "keys": [8, 2**64 - 1], "valid": np.ones((2, 9), int)}
    expected = tiny.RandomKeys(True).dense(9, **options)
    assert np.array_equal(second.numpy(), expected)
    assert first.shape == (2, 2, 9, 9)
    assert all(map(torch.equal, (first, second), masks(**keys)))
    for other in (masks(seed=1, **keys), masks(step=1, **keys), masks(sample_keys=["a", "b"])):
        assert not torch.equal(first, other[0])
    assert not torch.equal(first, second)
    assert not torch.equal(first[:, 0], first[:, 1])
    assert torch.equal(first.flip(0), masks(sample_keys=torch.tensor([-1, 8]))[0])
    without_keys = masks()[0]
    assert torch.equal(without_keys[0], without_keys[1])
    assert masks(each=False, **keys)[0].shape == (2, 1, 9, 9)


@dataclass(frozen=True)
class Linked(Pattern):
    """Each target token sees the source tokens that a ragged list of pairs links to it."""

    required_annotations = ("links",)

    def rows(self, call: AttentionCall) -> Intervals:
        links = call.annotations["links"]
        assert len(links) == call.batch
        visible = np.zeros((call.batch, 1, call.q_len, call.kv_len), bool)
        for sample, pairs in enumerate(links):
            for source, target in pairs:
                if target < call.q_len:
                    visible[sample, 0, target, source] = True
        return Intervals.of_mask(visible)


@pytest.mark.filterwarnings("ignore:the 'cross' pattern hides every key")
def test_ragged_columns_are_repeated_for_beams() -> None:
    model, inputs = tiny.model("bart"), tiny.batch("bart")
    handle = use_attention(model, cross=Linked())
    links = [[(2, 0), (3, 1)], [(4, 0)]]
    mask = tiny.masks_by_layer(model, handle, **inputs, links=links)["cross", 1][:, 0]
    assert mask[0].nonzero().tolist() == [[0, 2], [1, 3], *([query, 0] for query in range(2, 6))]
    assert mask[1].nonzero().tolist() == [[0, 4], *([query, 0] for query in range(1, 6))]
    with handle.given(links=links):
        model.generate(inputs["input_ids"], num_beams=2, max_new_tokens=3)
