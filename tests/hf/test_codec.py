"""Tokenizers as codecs: what they give back, and texts that are cut inside their tokens."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

import maskplug
from maskplug.objectives import reconstruct as restore
from maskplug_hf import DataCollatorForMasking, vocabulary
from support import hf_tokenizers as tokenizers

MARKS = ["<fim_prefix>", "<fim_middle>", "<fim_suffix>"]


def lossless() -> Any:
    """Byte-level BPE that adds no blank, as models of code have it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer: Any = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<|end|>"], initial_alphabet=alphabet
    )
    tokenizer.train_from_iterator(tokenizers.TEXT, trainer)
    made = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|end|>", pad_token="<|end|>"
    )
    made.add_special_tokens({"additional_special_tokens": MARKS})
    return made


@pytest.mark.parametrize("text", ["the lazy dog", " two  blanks ,", "naïve 漢字", ""])
def test_text_comes_back(text: str) -> None:
    codec = vocabulary(lossless()).codec
    assert codec is not None
    assert codec.decode(codec.encode(text)) == text
    again = pickle.loads(pickle.dumps(codec))
    assert again.encode(text) == codec.encode(text)


def test_texts_are_cut_inside_tokens() -> None:
    tokenizer = lossless()
    vocab = vocabulary(tokenizer)
    text = "whatever the weather, naïve 漢字"
    row = tokenizer(text)["input_ids"]
    tokens = maskplug.TokenBatch.from_lists([row] * 200, keys=range(200))
    strategy = maskplug.strategy("fim", rate=1.0, spm=0.0, level="character")
    marks = [vocab.id_of(mark, "a test") for mark in MARKS]
    split = 0
    for made in strategy(tokens, vocab).inputs:
        back = restore.from_fim(made, *marks, vocab).tolist()
        assert tokenizer.decode(back) == text
        split += back != row
    assert split > 50


def test_the_collator_labels_every_input() -> None:
    collator = DataCollatorForMasking(lossless(), "fim", rate=1.0, level="character")
    collator.set_epoch(0)
    batch = collator([{"input_ids": [5, 6, 7, 8]}, {"input_ids": [9]}])
    seen = batch["attention_mask"] == 1
    assert (batch["labels"][seen] == batch["input_ids"][seen]).all()
    assert (batch["labels"][~seen] == -100).all()
    assert int(seen[1].sum()) == 4
