"""Decoder inputs from labels: the same with the model of the collator and of attach."""

from __future__ import annotations

import pickle
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from maskplug_torch.model_info import DecoderShift as Shift

from maskplug.errors import OptionError
from maskplug_hf import DataCollatorForMasking, attach
from maskplug_hf.model import model_info
from support import hf_models as models
from support import hf_runs as runs
from support import hf_tokenizers as tokenizers
from support.attention_models import build

T5 = {**models.T5, "vocab_size": 150, "decoder_start_token_id": 0}
TWO = {"src_vocab_size": 150, "tgt_vocab_size": 150, "langs": ["a", "b"]}
LED = {"attention_window": 4, "max_encoder_position_embeddings": 64}
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "bart": ("BartForConditionalGeneration", models.SMALL_BART),
    "mbart": ("MBartForConditionalGeneration", models.SMALL_BART),
    "marian": ("MarianMTModel", models.SMALL_BART),
    "pegasus": ("PegasusForConditionalGeneration", models.SMALL_BART),
    "led": ("LEDForConditionalGeneration", {**models.SMALL_BART, **LED}),
    "m2m100": ("M2M100ForConditionalGeneration", models.SMALL_BART),
    "fsmt": ("FSMTForConditionalGeneration", {**models.SMALL_BART, **TWO}),
    "plbart": ("PLBartForConditionalGeneration", models.SMALL_BART),
    "t5": ("T5ForConditionalGeneration", T5),
    "umt5": ("UMT5ForConditionalGeneration", T5),
}


@pytest.fixture(scope="module")
def model_of() -> Any:
    return cache(lambda name: build(MODELS[name][0], **MODELS[name][1]))


LABELS = np.array([[15, 16, 17, 2], [18, 2, -100, -100], [19, 19, 2, -100]])


@pytest.mark.parametrize("name", MODELS)
def test_labels_are_shifted_as_the_model_shifts_them(name: str, model_of: Any) -> None:
    model = model_of(name)
    shift = model_info(model).decoder_shift
    assert isinstance(shift, Shift)
    ours = torch.from_numpy(shift(LABELS))
    method = getattr(model, "prepare_decoder_input_ids_from_labels", None)
    if method is not None:
        assert torch.equal(ours, method(labels=torch.from_numpy(LABELS.copy())))
    if name == "fsmt":  # without decoder inputs it reads the source instead
        return
    model.eval()
    batch = {"input_ids": torch.full((3, 5), 9), "labels": torch.from_numpy(LABELS.copy())}
    assert torch.equal(model(**batch).logits, model(**batch, decoder_input_ids=ours).logits)


def test_rows_without_labels_begin_with_padding() -> None:
    assert Shift(pad=1, start=None)(np.full((2, 3), -100)).tolist() == [[1, 1, 1]] * 2


def tokenizer_of(name: str) -> Any:
    return tokenizers.t5() if "t5" in name else tokenizers.roberta()


def features(tokenizer: Any, pairs: bool) -> list[dict[str, list[int]]]:
    rows = models.rows(tokenizer)
    if not pairs:
        return [{"input_ids": row} for row in rows]
    # As long as their sources, so that nothing fails when the decoder reads the wrong ones.
    return [{"input_ids": row, "labels": row[::-1]} for row in rows]


def attached_trainer(
    folder: Path, name: str, model: Any, collator_model: Any, pairs: bool, **loss: Any
) -> Any:
    tokenizer = tokenizer_of(name)
    strategy = {"strategy": "word_dropout", "rate": 0.4} if pairs else {"strategy": "deshuffle"}
    options = {"mask_id": tokenizer.unk_token_id, "model": collator_model, **strategy}
    collate = DataCollatorForMasking(tokenizer, **options)
    options = {"max_steps": 1, "per_device_train_batch_size": 5, **loss}
    data = features(tokenizer, pairs)
    trainer = runs.plain_trainer(folder, collate, data, learner=model, **options)
    attach(trainer)
    return trainer


@pytest.mark.parametrize("name", ["bart", "mbart", "marian", "pegasus", "m2m100", "t5"])
@pytest.mark.parametrize("pairs", [True, False])
def test_attach_and_model_argument_make_the_same_decoder_inputs(
    name: str, pairs: bool, model_of: Any, tmp_path: Path
) -> None:
    model = model_of(name)
    batches = []
    for collator_model in (None, model):
        trainer = attached_trainer(tmp_path, name, model, collator_model, pairs)
        torch.manual_seed(5)
        batches.append(dict(next(iter(trainer.get_train_dataloader()))))
    one, other = batches
    assert one.keys() == other.keys()
    assert all(torch.equal(one[key], other[key]) for key in other)
    shifted = model_info(model).decoder_shift(one["labels"].numpy())
    assert one["decoder_input_ids"].tolist() == shifted.tolist()


@pytest.mark.parametrize("loss", runs.OTHER_LOSSES, ids=list)
@pytest.mark.parametrize("name", ["bart", "m2m100", "t5"])
@pytest.mark.parametrize("pairs", [True, False])
def test_decoder_inputs_exist_when_trainer_takes_the_labels(
    loss: dict[str, Any], name: str, pairs: bool, model_of: Any, tmp_path: Path
) -> None:
    trainer = attached_trainer(tmp_path, name, model_of(name), None, pairs, **loss)
    read: list[torch.Tensor] = []
    hook = trainer.model.register_forward_pre_hook(
        lambda _, args, kwargs: read.append(kwargs["decoder_input_ids"]), with_kwargs=True
    )
    trainer.train()
    hook.remove()
    rows = models.rows(tokenizer_of(name))
    first, *shifted = zip(*read[0].tolist(), strict=True)
    assert len(set(first)) == 1
    pad = trainer.model.config.pad_token_id
    labels = [row[::-1] if pairs else row for row in rows]
    padded = {tuple([*row, *[pad] * len(shifted)][: len(shifted)]) for row in labels}
    assert set(zip(*shifted, strict=True)) == padded


def test_pickled_collator_holds_no_weights(model_of: Any) -> None:
    collate = DataCollatorForMasking(tokenizers.t5(), "deshuffle", model=model_of("t5"))
    collate.set_epoch(0)
    again = pickle.loads(pickle.dumps(collate))
    assert b"torch.nn" not in pickle.dumps(collate)
    samples = features(tokenizers.t5(), pairs=False)
    expected = collate(samples)
    assert all(torch.equal(tensor, expected[name]) for name, tensor in again(samples).items())


class Odd(hf.BartForConditionalGeneration):
    """Shifts in a way of its own."""

    def prepare_decoder_input_ids_from_labels(self, labels: torch.Tensor) -> torch.Tensor:
        return labels.flip(1).clamp(min=0)


def test_an_unknown_shift_is_left_to_the_model_or_refused(tmp_path: Path) -> None:
    model = Odd(hf.BartConfig(**models.SMALL_BART))
    assert model_info(model).decoder_shift is None
    trainer = attached_trainer(tmp_path, "bart", model, None, pairs=True)
    assert "decoder_input_ids" not in next(iter(trainer.get_train_dataloader()))
    with pytest.raises(OptionError, match=r"label_smoothing_factor takes the labels.* Odd makes"):
        attached_trainer(tmp_path, "bart", model, None, pairs=True, label_smoothing_factor=0.1)


@pytest.mark.parametrize("missing", ["decoder_start_token_id", "pad_token_id"])
def test_a_config_without_the_ids_is_named(missing: str) -> None:
    tokenizer = tokenizers.t5()
    config = hf.T5Config(**T5)
    setattr(config, missing, None)
    collate = DataCollatorForMasking(
        tokenizer, "deshuffle", model=hf.T5ForConditionalGeneration(config)
    )
    collate.set_epoch(0)
    with pytest.raises(OptionError, match=r"T5ForCond.* cannot make .*decoder_start_token_id and"):
        collate(features(tokenizer, pairs=False))
