"""Packed documents leak in stock models, and equal separate ones with the pattern 'document'."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from maskplug import pattern
from maskplug.errors import OptionError
from maskplug.rng import keys_of
from maskplug_hf import DataCollatorForMasking, DataCollatorForPacking
from maskplug_hf.attention import compare, received, use_attention
from support import attention_models as tiny
from support import hf_tokenizers as tokenizers

TOKENIZER = tokenizers.bert()
SIZE: dict[str, Any] = {"vocab_size": len(TOKENIZER), "hidden_size": 32, "num_hidden_layers": 3}
SIZE |= {"num_attention_heads": 4, "intermediate_size": 32, "max_position_embeddings": 64}
SIZE |= {"pad_token_id": 0, "initializer_range": 0.2}
MODERN = {"global_attn_every_n_layers": 2, "local_attention": 6, "cls_token_id": 2}
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "bert": ("BertForMaskedLM", {}),
    "modernbert": ("ModernBertForMaskedLM", MODERN),
    "eurobert": ("EuroBertForMaskedLM", {"num_key_value_heads": 2}),
    "llama": ("LlamaForCausalLM", {"num_key_value_heads": 2}),
}
encoders = pytest.mark.parametrize("name", ["bert", "modernbert", "eurobert"])
models = pytest.mark.parametrize("name", list(MODELS))
backends = pytest.mark.parametrize("backend", ["sdpa", "eager"])
ROWS = [
    [2, *np.random.default_rng(n).integers(5, len(TOKENIZER), n).tolist(), 3]
    for n in (9, 3, 12, 5, 7, 1)
]
FEATURES = [{"input_ids": row, "sample_id": i} for i, row in enumerate(ROWS)]


def build(name: str, backend: str = "sdpa") -> Any:
    class_name, options = MODELS[name]
    return tiny.build(class_name, seed=1, **SIZE, **options, attn_implementation=backend)


def packed(side: str = "right", **options: Any) -> Any:
    tokenizer = tokenizers.bert(padding_side=side)
    return DataCollatorForPacking(tokenizer, "none", max_length=24, **options)(FEATURES)


def distance_to_separate(model: Any, batch: Any, *columns: str) -> float:
    """Compare the hidden states of packed documents with those of each document alone.

    Args:
        model: the model.
        batch: a batch of the packing collator.
        columns: names of the columns that patterns read; alone, a document has the number 0.
    """
    names = {name for name in batch if name not in ("labels", "document_ids", "sample_keys")}
    inputs = {name: batch[name] for name in (*names, *columns)}
    with torch.no_grad():
        together = model(**inputs, output_hidden_states=True).hidden_states[-1]
        distances = []
        for row, documents in enumerate(batch["document_ids"]):
            for number in range(int(documents.max()) + 1):
                tokens = documents == number
                ids = batch["input_ids"][row, tokens][None]
                extra = {k: torch.zeros_like(ids) for k in columns if k == "document_ids"}
                if "sample_keys" in columns:
                    extra["sample_keys"] = batch["sample_keys"][row, tokens][:1]
                alone = model(input_ids=ids, output_hidden_states=True, **extra).hidden_states[-1]
                distances.append(tiny.distance(together[row, tokens], alone[0]))
    assert len(distances) == len(ROWS)
    return max(distances)


@models
@backends
@pytest.mark.parametrize("side", ["right", "left"])
def test_packed_equals_separate_and_leaks_without_the_pattern(
    name: str, backend: str, side: str
) -> None:
    model = build(name, backend)
    batch = packed(side=side)
    assert len(batch["input_ids"]) < len(ROWS)
    if name != "llama":  # causal models of transformers read the restarting positions
        assert distance_to_separate(model, batch) > 1e-3
    use_attention(model, "document", backend=backend)
    assert distance_to_separate(model, batch, "document_ids") < 1e-5


@pytest.mark.parametrize(
    "text",
    [
        "(sink:n=1 | window:left=1,right=1) & document",
        "random:rate=0.5,per_layer=true & document",
        "bigbird:block=1,random=1 & document & ~sink:n=1",
        "~causal & document",
    ],
)
@pytest.mark.parametrize("backend", ["sdpa", "eager", "flex"])
@pytest.mark.parametrize("fallback", ["self", "first"])
@pytest.mark.filterwarnings("ignore:the 'encoder' pattern hides every key")
@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
def test_patterns_count_and_draw_in_each_document(text: str, backend: str, fallback: Any) -> None:
    model = build("bert")
    use_attention(model, text, backend=backend, fallback=fallback, seed=3).set_time(step=2)
    batch = packed(sample_keys=True)
    assert distance_to_separate(model, batch, "document_ids", "sample_keys") < 1e-5


def test_packed_rows_have_the_sample_key_at_each_token() -> None:
    batch = packed(sample_keys=True)
    keys, documents = batch["sample_keys"].numpy(), batch["document_ids"].numpy()
    assert (keys[documents == -1] == 0).all()
    for row, ids in enumerate(batch["input_ids"].numpy()):
        for number in range(documents[row].max() + 1):
            tokens = documents[row] == number
            expected = keys_of([ROWS.index(ids[tokens].tolist())])
            assert (keys[row, tokens].astype(np.uint64) == expected).all()
    model = build("bert")
    use_attention(model, "random:rate=0.5").set_time()
    with pytest.raises(OptionError, match=r"use '\(random:.*\) & document'"):
        model(**batch)


@models
@pytest.mark.parametrize("strategy", ["dynamic", "none"])
def test_loss_equals_that_of_padded_rows(name: str, strategy: str) -> None:
    model = build(name)
    options: dict[str, Any] = {"rate": 0.5} if strategy == "dynamic" else {}
    features = FEATURES
    if strategy == "none":
        features = [{**feature, "labels": feature["input_ids"]} for feature in FEATURES]
    losses, counts = [], []
    for padded in (True, False):
        if padded:
            collate: Any = DataCollatorForMasking(TOKENIZER, strategy, model=model, **options)
        else:
            options["max_length"] = 24
            collate = DataCollatorForPacking(TOKENIZER, strategy, model=model, **options)
        collate.set_epoch(0)
        batch = collate(features)
        if not padded:
            use_attention(model, "document")
        with torch.no_grad():
            losses.append(float(model(**batch).loss))
        labels = batch["labels"][:, 1:] if name == "llama" else batch["labels"]
        counts.append(int((labels != -100).sum()))
    assert counts[0] == counts[1] > 0
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


@encoders
@backends
def test_received_masks_show_the_leak_and_its_absence(name: str, backend: str) -> None:
    batch = packed()
    del batch["labels"]
    documents, valid = batch["document_ids"].numpy(), batch["attention_mask"].numpy()
    length = documents.shape[1]
    asked = pattern("document & padding").dense(length, documents=documents, valid=valid)
    masks = [asked] * 3
    if name == "modernbert":
        masks[1] = asked & pattern("window", left=3, right=3).dense(length)
    stock = {key: batch[key] for key in batch if key != "document_ids"}
    for mask, record in zip(masks, received(build(name, backend), **stock), strict=True):
        difference = compare(mask, record.mask, valid)
        assert len(difference.leaks) > 0
        assert len(difference.lost) == 0
        sample, _, query, key = difference.leaks[0]
        assert documents[sample, query] != documents[sample, key]
    model = build(name)
    use_attention(model, "document", backend=backend)
    records = received(model, **batch)
    assert [record.layer_idx for record in records] == [0, 1, 2]
    for mask, record in zip(masks, records, strict=True):
        assert not compare(mask, record.mask, valid)
