"""Tokenizers as codecs: what they give back, and texts that are cut inside their tokens."""

from __future__ import annotations

import pickle

import pytest

import maskplug
from maskplug.objectives import reconstruct as restore
from maskplug_hf import DataCollatorForMasking, vocabulary
from support import hf_tokenizers as tokenizers


@pytest.mark.parametrize("text", ["the lazy dog", " two  blanks ,", "naïve 漢字", ""])
def test_decode_restores_the_encoded_text(text: str) -> None:
    codec = vocabulary(tokenizers.lossless()).codec
    assert codec is not None
    assert codec.decode(codec.encode(text)) == text
    again = pickle.loads(pickle.dumps(codec))
    assert again.encode(text) == codec.encode(text)


def test_texts_are_cut_inside_tokens() -> None:
    tokenizer = tokenizers.lossless()
    vocab = vocabulary(tokenizer)
    text = "whatever the weather, naïve 漢字"
    row = tokenizer(text)["input_ids"]
    tokens = maskplug.TokenBatch.from_lists([row] * 200, keys=range(200))
    strategy = maskplug.strategy("fim", rate=1.0, spm=0.0, level="character")
    marks = [vocab.id_of(mark, "a test") for mark in tokenizers.MARKS]
    split = 0
    for made in strategy(tokens, vocab).inputs:
        back = restore.from_fim(made, *marks, vocab).tolist()
        assert tokenizer.decode(back) == text
        split += back != row
    assert split > 50


def test_the_collator_labels_every_input() -> None:
    collator = DataCollatorForMasking(tokenizers.lossless(), "fim", rate=1.0, level="character")
    collator.set_epoch(0)
    batch = collator([{"input_ids": [5, 6, 7, 8]}, {"input_ids": [9]}])
    seen = batch["attention_mask"] == 1
    assert (batch["labels"][seen] == batch["input_ids"][seen]).all()
    assert (batch["labels"][~seen] == -100).all()
    assert int(seen[1].sum()) == 4
