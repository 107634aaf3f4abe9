"""The example plugin makes the same masks in Python, the collator and fairseq-train."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

import maskplug
from maskplug_hf import DataCollatorForMasking
from support.fairseq_data import SIZES, Corpus
from support.fairseq_runs import QUICK, train


def test_masks_are_equal_in_all_frameworks(corpus: Corpus, tmp_path: Path) -> None:
    rows, vocab = corpus.rows("source"), corpus.vocabulary("source")
    tokens = maskplug.TokenBatch.from_lists(rows, keys=range(SIZES["train"]))
    strategy = maskplug.strategy("periodic", period=4)
    expected = strategy(tokens, vocab, seed=7).inputs.to_lists()
    assert expected != rows

    symbols = {symbol: i for i, symbol in enumerate(corpus.dictionary("source").symbols)}
    word_level = Tokenizer(models.WordLevel(symbols, unk_token="<unk>"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=word_level, pad_token="<pad>")
    options = {"period": 4, "vocabulary": vocab, "return_tensors": "np"}
    collator = DataCollatorForMasking(tokenizer, "periodic", seed=7, **options)
    collator.set_epoch(0)
    batch = collator([{"input_ids": row, "sample_id": i} for i, row in enumerate(rows)])
    lengths = batch["attention_mask"].sum(1)
    collated = [row[:n].tolist() for row, n in zip(batch["input_ids"], lengths, strict=True)]
    assert collated == expected

    flags = ["--masking-plugin", "periodic", "--masking-args", '{"period": 4}', *QUICK]
    run = train(corpus, tmp_path, *flags, max_epoch=1)
    assert run.rows(1) == dict(enumerate(expected))
