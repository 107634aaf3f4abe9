"""The packing collator: the same masks as unpacked, side by side in few rows."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from maskplug_torch.collator import CLASSES_COLUMN as COLUMN
from maskplug_torch.rows import pack
from transformers import Trainer

import maskplug
from maskplug import part
from maskplug.errors import MaskplugWarning, OptionError, TokenError
from maskplug.loss_tracking import Tables
from maskplug_hf import DataCollatorForMasking, DataCollatorForPacking, attach, vocabulary
from maskplug_hf.attention import use_attention
from support import hf_models as models
from support import hf_runs as runs
from support import hf_strategies as strategies
from support import hf_tokenizers as tokenizers

TOKENIZER = tokenizers.bert()
LENGTHS = [9, 5, 20, 3, 8, 8, 1, 12]
ROWS = [[2, *range(5, 3 + n), 3][:n] for n in LENGTHS]


def features(rows: Any = None, **columns: list[Any]) -> list[dict[str, Any]]:
    names = {"input_ids": ROWS if rows is None else rows, **columns}
    return [dict(zip(names, values, strict=True)) for values in zip(*names.values(), strict=True)]


def packed(strategy: Any = "dynamic", side: str = "right", **options: Any) -> Any:
    options = {"max_length": 24, "seed": 5, **options}
    collate = DataCollatorForPacking(tokenizers.bert(padding_side=side), strategy, **options)
    collate.set_epoch(2)
    return collate


def documents(batch: Any, name: str) -> list[list[Any]]:
    """The values of every document, row by row, in the order in which they stand."""
    values: list[list[Any]] = []
    for row, ids in zip(np.asarray(batch[name]), np.asarray(batch["document_ids"]), strict=True):
        values += [row[ids == number].tolist() for number in range(ids.max() + 1)]
    return values


@pytest.mark.parametrize("seed", range(20))
def test_packing_holds_every_sample_once_within_max_length(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 33, rng.integers(1, 40))
    order, offsets = pack(lengths, 32)
    assert sorted(order.tolist()) == list(range(len(lengths)))
    rows = [order[a:b] for a, b in itertools.pairwise(offsets)]
    firsts = [row[0] for row in rows]
    assert firsts == sorted(firsts)
    for row in rows:
        assert row.tolist() == sorted(row.tolist())
        assert lengths[row].sum() <= 32
    filled = sorted(lengths[row].sum() for row in rows)
    assert len(rows) == 1 or filled[0] + filled[1] > 32  # or they would have shared a row


def test_columns_of_a_packed_batch() -> None:
    rows = [[2, 5, 3], [2, 6, 7, 8, 3], [2, 3]]
    batch = packed("none", max_length=6)(features(rows))
    assert batch["input_ids"].tolist() == [[2, 5, 3, 2, 3], [2, 6, 7, 8, 3]]
    assert batch["document_ids"].tolist() == [[0, 0, 0, 1, 1], [0, 0, 0, 0, 0]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 0, 1], [0, 1, 2, 3, 4]]
    assert (batch["attention_mask"] == 1).all()
    assert (batch["labels"] == -100).all()
    assert {tensor.dtype for tensor in batch.values()} == {torch.int64}


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("kind", ["pt", "np"])
def test_padding(side: str, kind: str) -> None:
    batch = packed(side=side, pad_to_multiple_of=24, return_tensors=kind)(features())
    ids = np.asarray(batch["document_ids"])
    assert ids.shape == (3, 24)
    real = ids >= 0
    assert real.sum() == sum(LENGTHS)
    ordered = np.sort(real, 1)[:, :: 1 if side == "left" else -1]
    assert (real == ordered).all()
    fills = {"input_ids": 0, "attention_mask": 0, "labels": -100, "position_ids": 0}
    for name, fill in fills.items():
        assert (np.asarray(batch[name])[~real] == fill).all()
    assert (np.asarray(batch["attention_mask"])[real] == 1).all()
    assert all(place == list(range(len(place))) for place in documents(batch, "position_ids"))


STRATEGIES = ["dynamic", "span", "whole_word", "electra", "llada", "mdlm", "bert"]


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("side", ["right", "left"])
def test_masks_are_those_of_the_core(name: str, side: str) -> None:
    keys = [f"text {i}" for i in range(len(ROWS))]
    collate = packed(name, side)
    batch = collate(features(sample_id=keys))
    tokens = maskplug.TokenBatch.from_lists(ROWS, keys)
    masked = collate.strategy(tokens, vocabulary(TOKENIZER), seed=5, epoch=2)
    order, _ = pack(np.array(LENGTHS), 24)
    assert masked.labels is not None
    for column, rows in (("input_ids", masked.inputs), ("labels", masked.labels)):
        assert documents(batch, column) == [rows.to_lists()[i] for i in order]
    if masked.weights is not None:
        weights = maskplug.Ragged(masked.weights.astype(np.float32), tokens.offsets).to_lists()
        assert documents(batch, "loss_weights") == [weights[i] for i in order]


@pytest.mark.parametrize("room", [20, 24, 100])
def test_masks_do_not_depend_on_other_samples_of_the_row(room: int) -> None:
    def of(batch: Any) -> list[Any]:
        pairs = zip(documents(batch, "input_ids"), documents(batch, "labels"), strict=True)
        return sorted(pairs)

    collate = packed("span", max_length=room)
    samples = features(sample_id=list(range(len(ROWS))))
    together = of(collate(samples))
    assert len(together) == len(ROWS)
    assert together == of(collate(samples[::-1]))
    assert together == sorted(of(collate(samples[:3])) + of(collate(samples[3:])))


def test_samples_that_change_their_length() -> None:
    batch = packed(strategies.causal(), max_length=25)(features())
    got = documents(batch, "input_ids")
    order, _ = pack(np.array(LENGTHS) + 1, 25)
    assert got == [[TOKENIZER.mask_token_id, *ROWS[i][::-1]] for i in order]


def test_padding_of_the_features_is_not_packed() -> None:
    padded = [[0] * (i % 3) + row + [0] * (i % 2) for i, row in enumerate(ROWS)]
    mask = [[int(token != 0) for token in row] for row in padded]
    types = [[int(token == 3) for token in row] for row in padded]
    plain = [[int(token == 3) for token in row] for row in ROWS]
    batch = packed()(features(padded, attention_mask=mask, token_type_ids=types))
    expected = packed()(features(attention_mask=[[1] * n for n in LENGTHS], token_type_ids=plain))
    assert set(batch) == set(expected)
    for name in expected:
        assert torch.equal(batch[name], expected[name]), name


def test_hidden_tokens_inside_a_sample_stay_hidden() -> None:
    mask = [[1] * n for n in LENGTHS]
    mask[2][7] = 0
    chosen = part("selector", "exact", rate=1.0)
    batch = packed(strategies.weighted(selector=chosen))(features(attention_mask=mask))
    assert sorted(sum(row) for row in documents(batch, "attention_mask")) == sorted(
        n - (n == 20) for n in LENGTHS
    )
    assert (batch["labels"][batch["attention_mask"] == 0] == -100).all()


def test_annotations_of_the_strategy_are_packed_and_replace_positions() -> None:
    batch = packed(strategies.placed())(features())
    for number, place in enumerate(documents(batch, "position_ids")):
        assert place == [i // 2 for i in range(len(place))]
        assert documents(batch, "langs")[number] == [i % 2 for i in range(len(place))]


def test_token_types_and_own_labels_follow_their_tokens() -> None:
    labels = [[100 * i + k for k in range(n)] for i, n in enumerate(LENGTHS)]
    types = [[i % 2] * n for i, n in enumerate(LENGTHS)]
    batch = packed()(features(labels=labels, token_type_ids=types))
    order, _ = pack(np.array(LENGTHS), 24)
    assert documents(batch, "labels") == [labels[i] for i in order]
    assert documents(batch, "token_type_ids") == [types[i] for i in order]
    assert (batch["labels"][batch["document_ids"] < 0] == -100).all()


def causal(own_labels: bool, model: Any = None) -> Any:
    """A batch of a causal model: labels of its own, or those of a strategy."""
    rows = [[5, 6, 7], [8, 9], [10, 11, 12, 13]]
    strategy = (
        "none" if own_labels else strategies.causal(replacement=part("replacement", "mix", mask=0))
    )
    tokenizer = tokenizers.roberta()
    collate = DataCollatorForPacking(tokenizer, strategy, max_length=6, model=model)
    return collate(features(rows, **({"labels": rows} if own_labels else {})))


@pytest.mark.parametrize("own_labels", [False, True])
def test_first_tokens_of_documents_have_no_label_for_causal_models(own_labels: bool) -> None:
    _, llama = models.family("llama")
    batch = causal(own_labels, llama)
    assert batch["labels"].tolist() == [[-100, 6, 7, *[-100] * 3], [-100, 9, -100, 11, 12, 13]]
    for labels in documents(batch, "labels"):
        assert labels[0] == -100
        assert min(labels[1:]) >= 5
    # A model that predicts in place, or one that nobody knows, may need every label.
    assert all(min(labels) >= 5 for labels in documents(causal(own_labels), "labels"))


def test_positions_of_roberta_start_after_its_padding_id() -> None:
    tokenizer, model = models.family("roberta")
    batch = DataCollatorForPacking(tokenizer, "none", max_length=60, model=model)(
        [{"input_ids": row} for row in models.rows(tokenizer)]
    )
    first = tokenizer.pad_token_id + 1
    for place in documents(batch, "position_ids"):
        assert place == list(range(first, first + len(place)))


def test_a_model_without_positions_gets_none() -> None:
    class Encoder(torch.nn.Module):
        def forward(self, input_ids: Any, attention_mask: Any) -> None: ...

    batch = packed("none", model=Encoder())(ROWS)
    assert "position_ids" not in batch
    assert "document_ids" in batch


@pytest.mark.parametrize(
    ("strategy", "options", "message"),
    [
        ("t5", {}, r"'t5@1' does not predict its inputs in place.*DataCollatorForMasking"),
        (strategies.ordered(), {}, r"'ordered@1' does not predict its inputs in place"),
        *(
            ("dynamic", {"max_length": length}, f"max_length is {length!r}; it must")
            for length in (0, "x", True, 2.5, None)
        ),
    ],
)
def test_unpackable_strategies_are_refused_by_the_constructor(
    strategy: Any, options: Any, message: str
) -> None:
    tokenizer = tokenizers.t5() if strategy == "t5" else tokenizers.bert()
    with pytest.raises(OptionError, match=message):
        DataCollatorForPacking(tokenizer, strategy, **{"max_length": 24, **options})


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_a_model_with_a_decoder_is_refused(family: str) -> None:
    tokenizer, model = models.family(family)
    with pytest.raises(OptionError, match=rf"{type(model).__name__} has an encoder and a decoder"):
        DataCollatorForPacking(tokenizer, "none", max_length=24, model=model)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, r"feature 2 \(sample key 12\) has 20 tokens, and max_length is 19: truncate samples"),
        ({"label": [0] * 8}, r"one label for each token.*DataCollatorForMasking"),
        ({"labels": [[1, 2]] * 8}, r"one label for each token"),
        ({"weight": [0.5] * 8}, r"column 'weight' has one value per sample.*drop the column"),
    ],
)
def test_unpackable_features_are_refused(columns: Any, message: str) -> None:
    keys = list(range(10, 18))
    with pytest.raises(TokenError, match=message):
        packed(max_length=24 if columns else 19)(features(sample_id=keys, **columns))


class DocumentRecorder(Trainer):
    """Records the documents of every batch, by epoch (-1 in evaluation)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.seen: list[tuple[int, set[Any]]] = []
        self.rows = 0

    def compute_loss(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        batch = {name: tensor.cpu() for name, tensor in inputs.items()}
        names = ("input_ids", "labels")
        pairs = zip(*(map(tuple, documents(batch, name)) for name in names), strict=True)
        epoch = int(self.state.epoch or 0) if model.training else -1
        self.seen.append((epoch, set(pairs)))
        self.rows += len(batch["input_ids"])
        return super().compute_loss(model, inputs, *args, **kwargs)


def expected(epoch: int) -> set[Any]:
    """What the core makes of the data set's rows, by their index."""
    strategy = maskplug.strategy("dynamic", rate=0.3)
    tokens = maskplug.TokenBatch.from_lists(runs.rows(32), range(32))
    masked = strategy(tokens, vocabulary(TOKENIZER), seed=5, epoch=epoch)
    assert masked.labels is not None
    rows = zip(masked.inputs.to_lists(), masked.labels.to_lists(), strict=True)
    return {(tuple(ids), tuple(labels)) for ids, labels in rows}


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_trainer_trains_packed_with_the_masks_of_every_epoch(
    tmp_path: Path, workers: str
) -> None:
    collate = DataCollatorForPacking(TOKENIZER, "dynamic", rate=0.3, max_length=48, seed=5)
    data = runs.dataset(32)
    options = {"trainer_class": DocumentRecorder, "per_device_train_batch_size": 8}
    trainer = runs.trainer(tmp_path, collate, data, data, workers=workers, **options)
    use_attention(trainer.model, "document")
    attach(trainer)
    trainer.train()
    assert trainer.rows < 32  # of 64 samples in two epochs
    assert math.isfinite(trainer.evaluate()["eval_loss"])
    for epoch, expected_epoch in ((0, 0), (1, 1), (-1, 0)):
        batches = [documents for number, documents in trainer.seen if number == epoch]
        assert sum(map(len, batches)) == 32
        assert set().union(*batches) == expected(expected_epoch)


@pytest.mark.parametrize(
    ("text", "separates"),
    [("window:left=4", False), ("document | causal", False), ("document & causal", True)],
)
def test_patterns_that_do_not_separate_documents_warn(text: str, separates: bool) -> None:
    model = runs.model()
    use_attention(model, text)
    warns = pytest.warns(MaskplugWarning, match=r'use_attention\(model, "document"\)')
    with runs.no_warning() if separates else warns:
        packed().as_attached(model)


@pytest.mark.parametrize("keys", [[1, "two", b"three"], [2**63 + 5, 2**64 - 1, 0], None])
def test_keys_of_samples_on_demand(keys: Any) -> None:
    rows = ROWS[:3]
    columns = {} if keys is None else {"sample_id": keys}
    plain = DataCollatorForMasking(TOKENIZER, "static", sample_keys=True)
    batch = plain(features(rows, **columns))
    expected = maskplug.TokenBatch.from_lists(rows, keys).keys
    assert batch["sample_keys"].dtype == torch.int64
    assert (batch["sample_keys"].numpy().astype(np.uint64) == expected).all()
    assert "sample_keys" not in DataCollatorForMasking(TOKENIZER, "static")(features(rows))


def test_classes_of_adaptive_strategies_follow_their_tokens() -> None:
    options = {"rate": 0.5, "by": "layer", "classes": 2, "seed": 1}
    classes = [[k % 2 for k in range(n)] for n in LENGTHS]
    samples = features(sample_id=list(range(8)), classes=classes)
    plain = DataCollatorForMasking(TOKENIZER, "adaptive", **options)
    both = (plain, DataCollatorForPacking(TOKENIZER, "adaptive", max_length=24, **options))
    for collate in both:
        collate.feedback = Tables(np.zeros(Tables.room(2)), 6)
        collate.attached = True  # plain features are evaluation data
    unpacked, together = (collate(samples) for collate in both)
    order, _ = pack(np.array(LENGTHS), 24)
    rows = [unpacked[COLUMN][i, : LENGTHS[i]].tolist() for i in order]
    assert documents(together, COLUMN) == rows
    assert {0, 1} <= {value for row in rows for value in row}
