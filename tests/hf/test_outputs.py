"""The outputs of strategies as arguments of the model."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from maskplug import part
from maskplug.errors import MaskplugWarning, TokenError
from maskplug_hf import DataCollatorForMasking
from support import hf_models as models
from support import hf_strategies as strategies
from support import hf_tokenizers as tokenizers

TOKENIZER = tokenizers.bert()
MASK, PAD = TOKENIZER.mask_token_id, TOKENIZER.pad_token_id
ROWS = [[2, 7, 8, 9, 10, 3], [2, 7, 8, 3]]
ALL = part("selector", "exact", rate=1.0)
MASKS = part("replacement", "mix", mask=1.0, random=0.0)


def collator(strategy: Any, side: str = "right", **options: Any) -> DataCollatorForMasking:
    return DataCollatorForMasking(tokenizers.bert(padding_side=side), strategy, **options)


def features(**columns: list[Any]) -> list[dict[str, Any]]:
    names = {"input_ids": ROWS, **columns}
    return [dict(zip(names, values, strict=True)) for values in zip(*names.values(), strict=True)]


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("kind", ["pt", "np"])
def test_annotations_are_padded_like_the_inputs(side: str, kind: str) -> None:
    collate = collator(strategies.placed(), side, return_tensors=kind, pad_to_multiple_of=8)
    batch = collate(features())
    shown = np.asarray(batch["attention_mask"]) == 1
    for row, length in enumerate((6, 4)):
        at = np.arange(length)
        assert batch["position_ids"][row][shown[row]].tolist() == (at // 2).tolist()
        assert batch["langs"][row][shown[row]].tolist() == (at % 2).tolist()
        assert batch["nearness"][row][shown[row]].tolist() == (at / 4).tolist()
    for name in ("position_ids", "langs", "nearness"):
        assert batch[name].shape == (2, 8)
        assert (np.asarray(batch[name])[~shown] == 0).all()
    floats = torch.float32 if kind == "pt" else np.float32
    assert batch["nearness"].dtype == floats


@pytest.mark.parametrize("side", ["right", "left"])
def test_weights_are_aligned_with_labels(side: str) -> None:
    batch = collator(strategies.weighted(selector=ALL), side)(features())
    assert batch["loss_weights"].dtype == torch.float32
    weights = [[0, 1, 2, 3, 4, 0], [0, 1, 2, 0, 0, 0] if side == "right" else [0, 0, 0, 1, 2, 0]]
    assert batch["loss_weights"].tolist() == weights
    assert ((batch["loss_weights"] > 0) == (batch["labels"] != -100)).all()


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("bare", [False, True])
def test_order_is_converted_to_the_inputs_of_xlnet(side: str, bare: bool) -> None:
    collate = collator(strategies.ordered(selector=ALL, replacement=MASKS), side)
    batch = collate(ROWS if bare else features())
    assert "order" not in batch
    left = 2 if side == "left" else 0
    assert batch["labels"].tolist() == [[7, 8, 9, 10], [7, 8, -100, -100]]
    assert batch["target_mapping"].shape == (2, 4, 6)
    assert batch["target_mapping"][1].nonzero().tolist() == [[0, left + 1], [1, left + 2]]
    assert batch["perm_mask"].dtype == batch["target_mapping"].dtype == torch.float32
    # Predicted from the last to the first: a token sees those behind it, and both ends.
    first = [[0, 1, 1, 1, 1, 0], [0, 1, 0, 0, 0, 0], [0, 1, 1, 0, 0, 0]]
    first += [[0, 1, 1, 1, 0, 0], [0, 1, 1, 1, 1, 0], [0, 1, 1, 1, 1, 0]]
    assert batch["perm_mask"][0].tolist() == first
    hidden = batch["perm_mask"][1].roll((-left, -left), (0, 1))
    assert hidden[:4, :4].tolist() == [[0, 1, 1, 0], [0, 1, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0]]
    assert (hidden[:, 4:] == 1).all()  # padding is hidden from all tokens


def test_weights_of_ordered_predictions_follow_their_labels() -> None:
    target = strategies.Ordered()

    class Both(strategies.Weighted):
        def build(self, *args: Any) -> Any:
            masked = super().build(*args)
            return replace(masked, annotations=target.build(*args).annotations)

    batch = collator(strategies.composed("both", Both(), selector=ALL))(features())
    assert batch["labels"].tolist() == [[7, 8, 9, 10], [7, 8, -100, -100]]
    assert batch["loss_weights"].tolist() == [[1, 2, 3, 4], [1, 2, 0, 0]]


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_strategy_that_changes_length_and_order(side: str) -> None:
    types = [[0, 0, 1, 1, 1, 1], [0, 1, 1, 1]]
    batch = collator(strategies.causal(), side)(features(token_type_ids=types))
    pad = [PAD, PAD]
    short = [MASK, 3, 8, 7, 2]
    rows = [[MASK, 3, 10, 9, 8, 7, 2], short + pad if side == "right" else pad + short]
    assert batch["input_ids"].tolist() == rows
    assert batch["labels"][0].tolist() == rows[0]
    assert batch["labels"][1].tolist() == [-100 if i == PAD else i for i in rows[1]]
    assert batch["token_type_ids"][0].tolist() == [1, 1, 1, 1, 1, 0, 0]
    assert batch["token_type_ids"][1][batch["attention_mask"][1] == 1].tolist() == [1, 1, 1, 1, 0]
    assert batch["attention_mask"].sum(1).tolist() == [7, 5]


@pytest.mark.parametrize("make", [strategies.causal, strategies.deleted, strategies.fragment])
@pytest.mark.parametrize("side", ["right", "left"])
def test_padding_of_the_features_does_not_change_masks(make: Any, side: str) -> None:
    plain = collator(make(), side)(features())
    padded = features()
    for feature in padded:
        row = feature["input_ids"]
        feature["input_ids"] = [PAD, *row, PAD, PAD]
        feature["attention_mask"] = [0, *[1] * len(row), 0, 0]
    batch = collator(make(), side)(padded)
    assert set(batch) == set(plain)
    shown, expected = batch["attention_mask"] == 1, plain["attention_mask"] == 1
    for row in range(len(ROWS)):
        assert torch.equal(
            batch["input_ids"][row][shown[row]], plain["input_ids"][row][expected[row]]
        )
    assert torch.equal(batch["labels"], plain["labels"])


def test_hidden_tokens_inside_rows_stay_hidden_when_moved() -> None:
    sample = {"input_ids": [2, 7, 8, 9, 3, 0], "attention_mask": [1, 1, 0, 1, 1, 0]}
    batch = collator(strategies.causal())([sample])
    assert batch["input_ids"].tolist() == [[MASK, 3, 9, 8, 7, 2]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 0, 1, 1]]
    assert batch["labels"].tolist() == [[MASK, 3, 9, -100, 7, 2]]


def test_rows_that_are_all_padding() -> None:
    samples = [{"input_ids": row, "attention_mask": [0] * len(row)} for row in ROWS]
    batch = collator(strategies.causal())(
        [{**one, "token_type_ids": [1] * len(one["input_ids"])} for one in samples]
    )
    assert batch["input_ids"].tolist() == [[MASK], [MASK]]
    assert batch["token_type_ids"].tolist() == [[0], [0]]  # without a neighbor
    assert (collator("static")(samples)["labels"] == -100).all()


def test_columns_that_must_move_need_sources() -> None:
    class Silent(strategies.Reversed):
        def replace(self, *args: Any) -> Any:
            rows = super().replace(*args)
            return type(rows)(rows.values, rows.offsets)

    collate = collator(strategies.causal(replacement=Silent()))
    assert collate(features())["input_ids"].shape == (2, 7)
    with pytest.raises(TokenError, match=r"'token_type_ids' .* without returning the sources"):
        collate(features(token_type_ids=[[0] * 6, [0] * 4]))


def test_decoder_inputs_of_the_strategy_are_unchanged() -> None:
    fragment = strategies.fragment(selector=ALL, replacement=MASKS)
    batch = collator(fragment)(features())
    assert batch["labels"].tolist() == [[7, 8, 9, 10], [7, 8, -100, -100]]
    assert batch["decoder_input_ids"].tolist() == [[2, 7, 8, 9], [2, 7, PAD, PAD]]
    assert batch["decoder_position_ids"].tolist() == [[1, 2, 3, 4], [1, 2, 0, 0]]
    tokenizer, model = models.family("bart")
    with pytest.warns(MaskplugWarning, match="'decoder_position_ids', but BartFor"):
        collate = DataCollatorForMasking(tokenizer, fragment, model=model)
    samples = [{"input_ids": row} for row in models.rows(tokenizer)]
    batch = collate(samples)
    assert set(batch) == {"input_ids", "attention_mask", "labels", "decoder_input_ids"}
    assert batch["decoder_input_ids"][0, :3].tolist() == samples[0]["input_ids"][:3]


@pytest.mark.filterwarnings("error")
def test_annotations_unknown_to_the_model_are_dropped_with_one_warning() -> None:
    tokenizer, model = models.family("bert")
    with pytest.warns(MaskplugWarning, match="'langs', 'nearness', but BertForMaskedLM"):
        collate = DataCollatorForMasking(tokenizer, strategies.placed(), model=model)
    for one in (collate, pickle.loads(pickle.dumps(collate))):
        assert set(one(features())) == {"input_ids", "attention_mask", "labels", "position_ids"}

    class Wrapper(torch.nn.Module):
        def forward(self, **inputs: Any) -> Any: ...

    batch = DataCollatorForMasking(tokenizer, strategies.placed(), model=Wrapper())(features())
    assert {"position_ids", "langs", "nearness"} <= set(batch)


def test_positions_start_at_the_first_position_of_the_model() -> None:
    tokenizer, model = models.family("roberta")
    with pytest.warns(MaskplugWarning, match="langs"):
        collate = DataCollatorForMasking(tokenizer, strategies.placed(), model=model)
    batch = collate([{"input_ids": row} for row in models.rows(tokenizer)])
    first = model.roberta.embeddings.position_embeddings.padding_idx + 1
    assert batch["position_ids"].min() == first == tokenizer.pad_token_id + 1
    assert batch["position_ids"][0, :5].tolist() == [first, first, first + 1, first + 1, first + 2]


def test_order_of_tokens_without_a_label_is_ignored() -> None:
    """A mixture fills the rows of strategies without an order with zeros."""

    class Zeroed(strategies.Ordered):
        def build(self, *args: Any) -> Any:
            masked = super().build(*args)
            order = np.maximum(masked.annotations["order"], 0)
            return replace(masked, annotations={"order": order})

    batch = collator(strategies.composed("zeroed", Zeroed()))(features())
    expected = collator(strategies.ordered())(features())
    assert all(torch.equal(batch[name], expected[name]) for name in expected)
