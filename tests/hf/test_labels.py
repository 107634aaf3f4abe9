"""Labels of the samples: kept, replaced by the objective of the strategy, or refused."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from maskplug_torch import KeyedDataset, SharedEpoch
from transformers import Seq2SeqTrainer, Seq2SeqTrainingArguments

from maskplug.errors import MaskplugWarning, TokenError
from maskplug_hf import DataCollatorForMasking, DataCollatorForPacking, attach, vocabulary
from support import hf_models as models
from support import hf_runs as runs
from support import hf_tokenizers as tokenizers

FIM = ["<fim_prefix>", "<fim_middle>", "<fim_suffix>"]
Row = list[int]
LABELS: dict[str, Callable[[Row], Row]] = {
    "copies": list,
    "answers": lambda row: [-100] * 3 + row[3:],
    "others": lambda row: [7] * len(row),
}


@pytest.fixture(scope="module")
def family() -> Any:
    families = {name: models.family(name) for name in ("bert", "xlnet", "llama", "t5", "bart")}
    tokenizer, llama = families["llama"]
    tokenizer.add_special_tokens({"additional_special_tokens": FIM})
    llama.resize_token_embeddings(len(tokenizer))
    return families.__getitem__


@pytest.fixture
def _no_warning() -> Iterator[None]:
    with runs.no_warning():
        yield


def features(tokenizer: Any, labels: Callable[[Row], Row] | None) -> list[dict[str, Row]]:
    rows = models.rows(tokenizer)
    return [{"input_ids": row} | ({"labels": labels(row)} if labels else {}) for row in rows]


def collated(
    tokenizer: Any, strategy: str, model: Any, samples: Any, way: str, folder: Path, **options: Any
) -> Any:
    """A training batch of a collator that knows the model, does not, or was attached."""
    collate = runs.collator_for(tokenizer, model, way, folder, strategy, **options)
    if way == "attach":
        dataset = KeyedDataset(samples, SharedEpoch())
        samples = dataset.__getitems__(range(len(samples)))
    else:
        collate.set_epoch(0)
    return collate(samples)


OBJECTIVES = [("llada", "bert"), ("mdlm", "bert"), ("permutation", "xlnet"), ("fim", "llama")]
OBJECTIVES += [("t5", "t5"), ("mass", "bart")]
objectives = pytest.mark.parametrize(("strategy", "name"), OBJECTIVES)
ways = pytest.mark.parametrize("way", ["model", "attach"])
all_ways = pytest.mark.parametrize("way", ["model", "attach", "unknown"])


@objectives
@all_ways
def test_objectives_replace_copies_of_the_inputs(
    strategy: str, name: str, way: str, family: Any, tmp_path: Path
) -> None:
    tokenizer, model = family(name)
    plain = collated(tokenizer, strategy, model, features(tokenizer, None), way, tmp_path)
    with pytest.warns(
        MaskplugWarning, match=r"equal to their input_ids; strategy .* which is trained"
    ):
        batch = collated(tokenizer, strategy, model, features(tokenizer, list), way, tmp_path)
    assert batch.keys() == plain.keys()
    assert all(torch.equal(batch[key], plain[key]) for key in plain)


@objectives
@all_ways
def test_labels_of_answers_are_refused(
    strategy: str, name: str, way: str, family: Any, tmp_path: Path
) -> None:
    tokenizer, model = family(name)
    samples = features(tokenizer, LABELS["answers"])
    with pytest.raises(TokenError, match=r"remove_columns\('labels'\).*answer mask.*'protected'"):
        collated(tokenizer, strategy, model, samples, way, tmp_path)


@pytest.mark.parametrize(("strategy", "name"), OBJECTIVES[:4])
@ways
def test_other_labels_of_tokens_are_refused(
    strategy: str, name: str, way: str, family: Any, tmp_path: Path
) -> None:
    tokenizer, model = family(name)
    samples = features(tokenizer, LABELS["others"])
    with pytest.raises(
        TokenError, match=rf"strategy '{strategy}@1' has its own objective .*\): to train"
    ):
        collated(tokenizer, strategy, model, samples, way, tmp_path)


def test_the_answer_mask_of_the_message_masks_answers_only(family: Any) -> None:
    tokenizer, model = family("bert")
    samples = features(tokenizer, LABELS["answers"])
    for row in samples:
        row["protected"] = [int(label == -100) for label in row.pop("labels")]
    collate = DataCollatorForMasking(tokenizer, "llada", model=model)
    collate.set_epoch(0)
    batch = collate(samples)
    assert (batch["labels"][:, :3] == -100).all()
    assert (batch["labels"] != -100).any()


@pytest.mark.parametrize("strategy", ["electra", "dynamic", "span", "bert"])
@pytest.mark.parametrize(
    ("labels", "way"),
    [*itertools.product(LABELS, ["model", "attach"]), ("copies", "unknown")],
)
def test_labels_in_place_are_kept_with_a_warning(
    strategy: str, labels: str, way: str, family: Any, tmp_path: Path
) -> None:
    tokenizer, model = family("bert")
    samples = features(tokenizer, LABELS[labels])
    with pytest.warns(MaskplugWarning, match=r"kept.*remove the column 'labels'"):
        batch = collated(tokenizer, strategy, model, samples, way, tmp_path)
    seen = zip(batch["labels"].tolist(), batch["attention_mask"].sum(1).tolist(), strict=True)
    assert [row[:n] for row, n in seen] == [row["labels"] for row in samples]


def test_the_warning_is_given_once(family: Any) -> None:
    tokenizer, model = family("bert")
    samples = features(tokenizer, list)
    collate = DataCollatorForMasking(tokenizer, "static", model=model)
    with pytest.warns(MaskplugWarning, match="kept"):
        collate(samples)
    with runs.no_warning():
        collate(samples)


# --- texts to generate ---------------------------------------------------------------------------


PAIRS = [("word_dropout", "bart"), ("deshuffle", "bart"), ("t5", "t5"), ("bart", "bart")]


@pytest.mark.parametrize(("strategy", "name"), PAIRS)
@ways
@pytest.mark.usefixtures("_no_warning")
def test_texts_to_generate_are_kept_without_a_warning(
    strategy: str, name: str, way: str, family: Any, tmp_path: Path
) -> None:
    tokenizer, model = family(name)
    samples = features(tokenizer, lambda row: row[2:6])
    if strategy == "bart":
        for row in samples:
            row["sentence_starts"] = [1] * len(row["input_ids"])
    batch = collated(tokenizer, strategy, model, samples, way, tmp_path)
    assert batch["labels"].tolist() == [row["labels"] for row in samples]
    assert "decoder_input_ids" in batch


@pytest.mark.parametrize("strategy", ["deshuffle", "word_dropout"])
@pytest.mark.usefixtures("_no_warning")
def test_copies_of_the_inputs_are_texts_for_a_decoder(strategy: str, family: Any) -> None:
    tokenizer, model = family("bart")
    collate = DataCollatorForMasking(tokenizer, strategy, model=model)
    collate.set_epoch(0)
    samples = features(tokenizer, list)
    assert collate(samples)["labels"][0, :5].tolist() == samples[0]["labels"][:5]


def test_texts_as_long_as_their_sources_are_kept_with_a_warning(family: Any) -> None:
    tokenizer, model = family("t5")
    collate = DataCollatorForMasking(tokenizer, "t5", model=model)
    collate.set_epoch(0)
    with pytest.warns(MaskplugWarning, match=r"own objective \(targets\)\. .* are trained"):
        batch = collate(features(tokenizer, LABELS["others"]))
    assert set(batch["labels"].unique().tolist()) == {7, -100}


def marian(folder: Path) -> tuple[Any, Any]:
    tokenizer = tokenizers.marian(folder)
    ids = {"pad_token_id": tokenizer.pad_token_id, "eos_token_id": 0, "forced_eos_token_id": 0}
    ids["decoder_start_token_id"] = tokenizer.pad_token_id
    config = hf.MarianConfig(vocab_size=len(tokenizer), **models.BART, **ids)
    return tokenizer, hf.MarianMTModel(config)


@pytest.mark.parametrize("name", ["t5", "marian"])
def test_pairs_are_masked_in_the_source_and_train(tmp_path: Path, name: str) -> None:
    tokenizer, model = marian(tmp_path) if name == "marian" else models.family(name)
    texts = tokenizers.TEXT[:5]
    encoded = tokenizer(texts, text_target=[text[:20] for text in reversed(texts)])
    samples = [{name: encoded[name][i] for name in encoded} for i in range(len(texts))]
    vocab = vocabulary(tokenizer, mask_id=tokenizer.unk_token_id)
    options = {"model": model, "vocabulary": vocab, "rate": 0.5, "pad_to_multiple_of": 4}
    collate = DataCollatorForMasking(tokenizer, "word_dropout", **options)
    collate.set_epoch(0)
    batch = collate(samples)
    assert set(batch) == {"input_ids", "attention_mask", "labels", "decoder_input_ids"}
    width = -(-max(len(sample["labels"]) for sample in samples) // 4) * 4
    padded = [one["labels"] + [-100] * (width - len(one["labels"])) for one in samples]
    assert batch["labels"].tolist() == padded
    for row, sample in zip(batch["input_ids"].tolist(), samples, strict=True):
        pairs = zip(row, sample["input_ids"], strict=False)
        assert {new for new, old in pairs if new != old} == {tokenizer.unk_token_id}
        assert row[len(sample["input_ids"]) - 1] == tokenizer.eos_token_id
    arguments = Seq2SeqTrainingArguments(
        output_dir=str(tmp_path), use_cpu=True, report_to=[], disable_tqdm=True, max_steps=2
    )
    trainer = Seq2SeqTrainer(
        model=model,
        args=arguments,
        data_collator=collate,
        train_dataset=samples,
        eval_dataset=samples,
    )
    attach(trainer)
    assert np.isfinite(trainer.train().training_loss)
    assert trainer.evaluate()["eval_loss"] == trainer.evaluate()["eval_loss"]


@pytest.mark.parametrize(("strategy", "name"), OBJECTIVES[:4])
def test_copies_are_evaluated_like_training_data(
    strategy: str, name: str, family: Any, tmp_path: Path
) -> None:
    tokenizer, model = family(name)
    batches = []
    for labels in (None, list):
        collate = DataCollatorForMasking(tokenizer, strategy)
        samples = features(tokenizer, labels)
        trainer = runs.plain_trainer(tmp_path, collate, None, samples, learner=model)
        attach(trainer)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MaskplugWarning)
            batches.append(next(iter(trainer.get_eval_dataloader())))
    plain, copies = batches
    assert plain.keys() == copies.keys()
    assert all(torch.equal(plain[key], copies[key]) for key in plain)


# --- labels of tokens and of rows ----------------------------------------------------------------

LABELLED = ["fim", "dynamic", "word_dropout"]
MOVING = list(itertools.product(["shuffle", "deshuffle", *LABELLED], ["model", "attach"]))
MOVING += [(strategy, "packed") for strategy in LABELLED]  # targets are not packed
TAGGED = [(*moving, "bert") for moving in MOVING]
TAGGED += [("fim", "model", "llama"), ("shuffle", "attach", "t5"), ("dynamic", "model", "t5")]


def tagger(name: str, tokenizer: Any) -> Any:
    size = {"vocab_size": len(tokenizer), "num_labels": 200}
    if name == "bert":
        return hf.BertForTokenClassification(hf.BertConfig(**size, **models.ENCODER))
    if name == "t5":
        return hf.T5ForTokenClassification(hf.T5Config(**size, **models.T5))
    return hf.LlamaForTokenClassification(hf.LlamaConfig(**size, pad_token_id=1, **models.ENCODER))


def roberta_with_fim() -> Any:
    tokenizer = tokenizers.roberta()
    tokenizer.add_special_tokens({"additional_special_tokens": FIM})
    return tokenizer


@pytest.mark.parametrize(("strategy", "way", "name"), TAGGED)
def test_tags_follow_their_tokens(strategy: str, way: str, name: str, tmp_path: Path) -> None:
    tokenizer = roberta_with_fim()
    # Each row has each token once, so that its tag tells which token it was.
    samples = [{"input_ids": list(range(20 + i, 32 + 2 * i))} for i in range(5)]
    for row in samples:
        row["labels"] = [i + 1 for i in row["input_ids"]]
    if way == "packed":
        batch = DataCollatorForPacking(tokenizer, strategy, max_length=40, clock="never")(samples)
    else:
        model = tagger(name, tokenizer)
        with runs.no_warning():
            batch = collated(tokenizer, strategy, model, samples, way, tmp_path, clock="never")
    ids, labels = batch["input_ids"], batch["labels"]
    assert ids.shape == labels.shape
    written = (ids < 20) | (ids >= tokenizer.vocab_size)  # masks, new tokens, padding
    moved = labels[~written] - ids[~written]
    if strategy == "dynamic":  # some tokens are random ones
        assert (moved == 1).float().mean() > 0.9
    else:
        assert (moved == 1).all()
    new = torch.isin(ids, torch.tensor(tokenizer.convert_tokens_to_ids(FIM)))
    assert (labels[new] == -100).all()
    assert (labels != -100).sum() == sum(len(row["labels"]) for row in samples)


def test_tags_of_another_length_are_refused() -> None:
    tokenizer = tokenizers.bert(padding_side="left")
    samples = [{"input_ids": row, "labels": [1] * len(row)} for row in runs.rows(5)]
    collate = DataCollatorForMasking(tokenizer, "static", model=tagger("bert", tokenizer))
    batch = collate(samples)
    assert torch.equal(batch["labels"] == 1, batch["attention_mask"] == 1)
    samples[2]["labels"] = [1, 1]
    with pytest.raises(TokenError, match=r"feature 2 has 2 labels for .* BertForTok"):
        collate(samples)


@pytest.mark.parametrize("strategy", ["shuffle", "fim"])
def test_tags_without_a_model_are_ambiguous_where_tokens_move(strategy: str) -> None:
    tokenizer = roberta_with_fim()
    samples = features(tokenizer, lambda row: [1] * len(row))
    collate = DataCollatorForMasking(tokenizer, strategy, clock="never")
    with (
        pytest.warns(MaskplugWarning, match="one label for each token"),
        pytest.raises(
            TokenError, match=r"moves tokens.* pass the model to the collator \(model=\)"
        ),
    ):
        collate(samples)


@pytest.mark.usefixtures("_no_warning")
def test_tags_without_a_model_are_kept_if_tokens_do_not_move() -> None:
    tokenizer = tokenizers.bert()
    samples = features(tokenizer, lambda row: [1] * len(row))
    batch = DataCollatorForMasking(tokenizer, "static")(samples)
    assert torch.equal(batch["labels"] == 1, batch["attention_mask"] == 1)


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("bbox", {"bbox": [[1, 2, 3, 4]] * 10, "labels": [1] * 10}),
        ("labels", {"labels": [0.5] * 10}),
    ],
)
def test_other_columns_with_a_value_per_token_are_refused_if_tokens_move(
    name: str, columns: dict[str, Any]
) -> None:
    tokenizer = tokenizers.roberta()
    samples = [{"input_ids": list(range(i, i + 10)), **columns} for i in (20, 30)]
    model = tagger("bert", tokenizer)
    collate = DataCollatorForMasking(tokenizer, "shuffle", clock="never", model=model)
    with pytest.raises(TokenError, match=f"column '{name}' has one value for each token"):
        collate(samples)
    still = DataCollatorForMasking(tokenizer, "static", model=model)
    assert np.asarray(still(samples)[name]).shape[:2] == (2, 10)


@pytest.mark.parametrize("column", ["label", "labels", "label_ids"])
@pytest.mark.parametrize(
    ("values", "dtype"),
    [([0, 1, 1], torch.int64), ([0.5, 1.0, 2.0], torch.float32), ([[0.0, 1.0]] * 3, torch.float32)],
)
@all_ways
@pytest.mark.usefixtures("_no_warning")
def test_labels_of_rows_are_stacked(
    column: str, values: list[Any], dtype: torch.dtype, way: str, tmp_path: Path
) -> None:
    tokenizer = tokenizers.bert()
    config = hf.BertConfig(vocab_size=len(tokenizer), num_labels=2, **models.ENCODER)
    model = hf.BertForSequenceClassification(config)
    rows = zip(runs.rows(3), values, strict=True)
    samples = [{"input_ids": row, column: value} for row, value in rows]
    batch = collated(tokenizer, "llada", model, samples, way, tmp_path)
    assert set(batch) == {"input_ids", "attention_mask", "labels"}
    assert batch["labels"].tolist() == values
    assert batch["labels"].dtype == dtype
    assert (batch["input_ids"] == tokenizer.mask_token_id).any()
