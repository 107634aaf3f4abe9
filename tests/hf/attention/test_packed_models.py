"""Packed = separate: the models that leak across documents, and do so no more."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf

from maskplug import pattern
from maskplug.attention import AttentionCall, Intervals, Pattern
from maskplug.errors import OptionError
from maskplug.rng import keys_of
from maskplug_hf import DataCollatorForMasking, DataCollatorForPacking
from maskplug_hf.attention import compare, received, use_attention
from support import hf_tokenizers as tokenizers

TOKENIZER = tokenizers.bert()
SIZE: dict[str, Any] = {"vocab_size": len(TOKENIZER), "hidden_size": 32, "num_hidden_layers": 3}
SIZE |= {"num_attention_heads": 4, "intermediate_size": 32, "max_position_embeddings": 64}
SIZE |= {"pad_token_id": 0, "initializer_range": 0.2}
MODERN = {"global_attn_every_n_layers": 2, "local_attention": 6, "cls_token_id": 2}
KINDS: dict[str, Any] = {
    "bert": (hf.BertForMaskedLM, hf.BertConfig, {}),
    "modernbert": (hf.ModernBertForMaskedLM, hf.ModernBertConfig, MODERN),
    "eurobert": (hf.EuroBertForMaskedLM, hf.EuroBertConfig, {"num_key_value_heads": 2}),
    "llama": (hf.LlamaForCausalLM, hf.LlamaConfig, {"num_key_value_heads": 2}),
}
ENCODERS = pytest.mark.parametrize("kind", ["bert", "modernbert", "eurobert"])
MODELS = pytest.mark.parametrize("kind", list(KINDS))
BACKENDS = pytest.mark.parametrize("backend", ["sdpa", "eager"])
SIDES = pytest.mark.parametrize("side", ["right", "left"])
ROWS = [
    [2, *np.random.default_rng(n).integers(5, len(TOKENIZER), n).tolist(), 3]
    for n in (9, 3, 12, 5, 7, 1)
]
FEATURES = [{"input_ids": row, "sample_id": i} for i, row in enumerate(ROWS)]


def made(kind: str, implementation: str = "sdpa") -> Any:
    model, config, more = KINDS[kind]
    torch.manual_seed(1)
    return model(config(**SIZE, **more, attn_implementation=implementation)).eval()


def packed(model: Any = None, side: str = "right", **options: Any) -> Any:
    tokenizer = tokenizers.bert(padding_side=side)
    if options.pop("padded", False):
        return DataCollatorForMasking(tokenizer, model=model, **options)
    return DataCollatorForPacking(tokenizer, model=model, max_length=24, **options)


def difference(model: Any, batch: Any, **more: Any) -> float:
    """How far the hidden states of packed documents are from those of each one alone.

    Args:
        model: that reads them.
        batch: of the packing collator.
        more: columns that patterns read; alone, a document has the number 0 and its own key.
    """
    names = [name for name in batch if name not in ("labels", "document_ids")]
    given = {name: batch[name] for name in names} | more
    with torch.no_grad():
        together = model(**given, output_hidden_states=True).hidden_states[-1]
        worst, compared = 0.0, 0
        for row, documents in enumerate(batch["document_ids"]):
            for number in range(int(documents.max()) + 1):
                own = documents == number
                ids = batch["input_ids"][row, own][None]
                extra = {k: torch.zeros_like(ids) for k in more if k == "document_ids"}
                if "sample_keys" in more:
                    extra["sample_keys"] = more["sample_keys"][row, own][:1]
                alone = model(input_ids=ids, output_hidden_states=True, **extra).hidden_states[-1]
                worst = max(worst, float((together[row, own] - alone[0]).abs().max()))
                compared += 1
    assert compared == len(ROWS)
    return worst


@MODELS
@BACKENDS
@SIDES
def test_packed_is_separate(kind: str, backend: str, side: str) -> None:
    model = made(kind)
    use_attention(model, "document", backend=backend)
    batch = packed(side=side, strategy="none")(FEATURES)
    assert len(batch["input_ids"]) < len(ROWS)
    assert difference(model, batch, document_ids=batch["document_ids"]) < 1e-5


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
@pytest.mark.filterwarnings("ignore:the pattern of 'encoder' leaves no key")
@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
def test_patterns_count_and_draw_in_each_document(text: str, backend: str, fallback: Any) -> None:
    model = made("bert")
    use_attention(model, text, backend=backend, fallback=fallback, seed=3).set_time(step=2)
    batch = packed(strategy="none", sample_keys=True)(FEATURES)
    columns = {name: batch[name] for name in ("document_ids", "sample_keys")}
    assert difference(model, batch, **columns) < 1e-5


def test_keys_of_packed_rows_stand_at_their_tokens() -> None:
    batch = packed(strategy="none", sample_keys=True)(FEATURES)
    keys, documents = batch["sample_keys"].numpy(), batch["document_ids"].numpy()
    assert (keys[documents == -1] == 0).all()
    by_text = {tuple(one["input_ids"]): i for i, one in enumerate(FEATURES)}
    for row, ids in enumerate(batch["input_ids"].tolist()):
        for number in range(documents[row].max() + 1):
            own = documents[row] == number
            text = tuple(np.array(ids)[own].tolist())
            assert set(keys[row, own].astype(np.uint64).tolist()) == {
                *keys_of([by_text[text]]).tolist()
            }
    model = made("bert")
    use_attention(model, "random:rate=0.5")
    with pytest.raises(OptionError, match=r"say '\(random:.*\) & document'"):
        model(**batch)


@pytest.mark.parametrize(
    ("text", "warned"), [("document & causal", False), ("document | causal", True)]
)
def test_a_pattern_that_only_mentions_documents_is_warned_of(text: str, warned: bool) -> None:
    model = made("bert")
    use_attention(model, text)
    collator = packed(strategy="none")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        collator.as_attached(model)
    assert bool([one for one in said if "gets packed rows" in str(one.message)]) is warned


@ENCODERS
@BACKENDS
def test_without_the_pattern_documents_leak(kind: str, backend: str) -> None:
    model = made(kind, backend)
    assert difference(model, packed(strategy="none")(FEATURES)) > 1e-3


@ENCODERS
def test_the_collator_of_transformers_leaks(kind: str) -> None:
    """It restarts positions, which encoders do not read as borders."""
    model = made(kind)
    batch = hf.DataCollatorWithFlattening()([{"input_ids": row} for row in ROWS])
    numbers = np.repeat(np.arange(len(ROWS)), [len(row) for row in ROWS])
    batch["document_ids"] = torch.from_numpy(numbers)[None]
    assert difference(model, batch) > 1e-3
    use_attention(model, "document")
    assert difference(model, batch, document_ids=batch["document_ids"]) < 1e-5


@MODELS
@pytest.mark.parametrize("strategy", ["dynamic", "none"])
def test_the_loss_is_that_of_padded_rows(kind: str, strategy: str) -> None:
    model = made(kind)
    options = {"rate": 0.5} if strategy == "dynamic" else {}
    copied = strategy == "none"
    given = [{**one, "labels": one["input_ids"]} if copied else one for one in FEATURES]
    losses, labels = [], []
    for padded in (True, False):
        collate = packed(model, padded=padded, strategy=strategy, **options)
        collate.set_epoch(0)
        batch = collate(given)
        if not padded:
            use_attention(model, "document")
        with torch.no_grad():
            losses.append(float(model(**batch).loss))
        shifted = batch["labels"][:, 1:] if kind == "llama" else batch["labels"]
        labels.append(int((shifted != -100).sum()))
    assert labels[0] == labels[1] > 0
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


@ENCODERS
@BACKENDS
def test_the_leak_is_seen_and_seen_to_be_gone(kind: str, backend: str) -> None:
    batch = packed(strategy="none")(FEATURES)
    documents = batch["document_ids"].numpy()
    valid = batch["attention_mask"].numpy()
    asked = pattern("document & padding").dense(
        documents.shape[1], documents=documents, valid=valid
    )
    if kind == "modernbert":
        near = pattern("window", left=3, right=3).dense(documents.shape[1])
        masks = [asked, asked & near, asked]
    else:
        masks = [asked] * 3
    stock = {name: batch[name] for name in batch if name not in ("labels", "document_ids")}
    for mask, one in zip(masks, received(made(kind, backend), **stock), strict=True):
        found = compare(mask, one.mask, valid)
        assert len(found.leaks) > 0
        assert len(found.lost) == 0
        sample, _, query, key = found.leaks[0]
        assert documents[sample, query] != documents[sample, key]
    model = made(kind)
    use_attention(model, "document", backend=backend)
    seen = received(model, **{name: batch[name] for name in batch if name != "labels"})
    assert [one.depth for one in seen] == [0, 1, 2]
    for mask, one in zip(masks, seen, strict=True):
        assert not compare(mask, one.mask, valid)


HEARD: list[Any] = []


@dataclass(frozen=True)
class Listening(Pattern):
    """Shows everything and notes the keys of the samples."""

    def rows(self, site: AttentionCall) -> Intervals:
        HEARD.append(site.context.keys)
        return site.intervals((0, site.lengths[:, None, None]))


def test_keys_of_samples_reach_patterns() -> None:
    model = made("bert")
    use_attention(model, Listening())
    keys = ["a", 2**64 - 1, 3, 4, b"b", 6]
    given = [{**one, "sample_id": key} for one, key in zip(FEATURES, keys, strict=True)]
    batch = packed(padded=True, strategy="static", sample_keys=True)(given)
    HEARD.clear()
    with torch.no_grad():
        model(**batch)
    assert all((heard == keys_of(keys)).all() for heard in HEARD)
    assert HEARD
