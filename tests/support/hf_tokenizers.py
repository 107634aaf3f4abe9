"""Small tokenizers of every family, trained from a few lines of text."""

from __future__ import annotations

import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import sentencepiece
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    BertTokenizerFast,
    MarianTokenizer,
    PreTrainedTokenizerFast,
    T5TokenizerFast,
)

TEXT = [
    "the quick brown fox jumps over the lazy dog",
    "a translator reads the sentence and writes another one",
    "masking hides some of the words and the model guesses them",
    "whatever the weather we weather the weather whatever the weather",
    "longer and longer sentences have more and more words to mask",
] * 4
NAMED = {
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "bos_token": "<s>",
    "eos_token": "</s>",
    "mask_token": "<mask>",
}


@cache
def _trained(kind: str) -> Tokenizer:
    if kind == "wordpiece":
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        trainer: Any = trainers.WordPieceTrainer(vocab_size=120, special_tokens=special)
    elif kind == "bpe":
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(vocab_size=120, special_tokens=["<|endoftext|>"])
    else:
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=90, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>"
        )
    tokenizer.train_from_iterator(TEXT, trainer)
    return tokenizer


def bert(**options: Any) -> Any:
    """WordPiece with [CLS] … [SEP]."""
    return BertTokenizerFast(vocab=_trained("wordpiece").get_vocab(), **options)


def gpt2(**options: Any) -> Any:
    """Byte-level BPE with neither mask nor padding."""
    copy = Tokenizer.from_str(_trained("bpe").to_str())
    return PreTrainedTokenizerFast(tokenizer_object=copy, eos_token="<|endoftext|>", **options)


def roberta() -> Any:
    """Byte-level BPE with a mask, added by the user."""
    tokenizer = gpt2()
    tokenizer.add_special_tokens(NAMED)
    return tokenizer


#: The special tokens of fill-in-the-middle.
MARKS = ["<fim_prefix>", "<fim_middle>", "<fim_suffix>"]


def lossless() -> Any:
    """Byte-level BPE without a prefix space, as models of code use it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer: Any = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<|end|>"], initial_alphabet=alphabet
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|end|>", pad_token="<|end|>"
    )
    fast.add_special_tokens({"additional_special_tokens": MARKS})
    return fast


def t5(**options: Any) -> Any:
    """Unigram with sentinels, whose ids run backwards."""
    vocab = json.loads(_trained("unigram").to_str())["model"]["vocab"]
    pieces = [(piece, score) for piece, score in vocab]
    pieces += [(f"<extra_id_{i}>", 0.0) for i in range(9, -1, -1)]
    return T5TokenizerFast(vocab=pieces, extra_ids=10, **options)


def marian(folder: Path) -> Any:
    """A slow tokenizer over two SentencePiece models."""
    spm = folder / "spm.model"
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT), model_writer=model, vocab_size=50, minloglevel=2
    )
    spm.write_bytes(model.getvalue())
    processor = sentencepiece.SentencePieceProcessor(model_file=str(spm))
    pieces = ["</s>", "<unk>"]
    pieces += [processor.id_to_piece(i) for i in range(3, processor.get_piece_size())]
    vocab = folder / "vocab.json"
    vocab.write_text(json.dumps({piece: i for i, piece in enumerate([*pieces, "<pad>"])}))
    return MarianTokenizer(str(spm), str(spm), str(vocab))
