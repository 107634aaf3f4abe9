"""The example distribution by name in all three places: Python, the collator, fairseq-train."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

import maskplug
from maskplug_hf import DataCollatorForMasking
from support.fairseq_runs import QUICK, SIZES, Corpus, train

OPTIONS = {"period": 4}


def test_the_same_masks_in_python_the_collator_and_fairseq_train(
    corpus: Corpus, tmp_path: Path
) -> None:
    rows = corpus.rows("source")
    tokens = maskplug.TokenBatch.from_lists(rows, keys=range(SIZES["train"]))
    vocab = corpus.vocabulary("source")
    python = maskplug.strategy("periodic", **OPTIONS)(tokens, vocab, seed=7).inputs.to_lists()

    symbols = {symbol: i for i, symbol in enumerate(corpus.dictionary("source").symbols)}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel(symbols, unk_token="<unk>")), pad_token="<pad>"
    )
    collator = DataCollatorForMasking(
        tokenizer, "periodic", seed=7, vocabulary=vocab, return_tensors="np", **OPTIONS
    )
    collator.set_epoch(0)
    batch = collator([{"input_ids": row, "sample_id": i} for i, row in enumerate(rows)])
    lengths = batch["attention_mask"].sum(1)
    collated = [row[:n].tolist() for row, n in zip(batch["input_ids"], lengths, strict=True)]

    flags = ["--masking-plugin", "periodic", "--masking-args", '{"period": 4}', *QUICK]
    run = train(corpus, tmp_path, *flags, max_epoch=1)

    assert python != rows
    assert collated == python
    assert run.seen(1) == dict(enumerate(python))
