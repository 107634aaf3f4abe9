"""Cuts between characters, with tokenizers of every family: no sample decodes to another text."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import sentencepiece
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

import maskplug
from maskplug import TokenBatch, Vocabulary
from maskplug.errors import MaskplugWarning
from maskplug.objectives import reconstruct as restore
from maskplug_hf import vocabulary
from support import hf_tokenizers as tokenizers
from support.hf_tokenizers import MARKS, lossless

TEXTS = [*tokenizers.TEXT[:5], " two  blanks, and one at the end ", "The Quick, Brown Fox"]


def fast(model: Any, **parts: Any) -> Vocabulary:
    """The vocabulary of a fast tokenizer of such parts, trained on the shared text."""
    tokenizer = Tokenizer(model)
    for name, part in parts.items():
        setattr(tokenizer, name, part)
    bpe = isinstance(model, models.BPE)
    trainer: Any = trainers.BpeTrainer if bpe else trainers.WordPieceTrainer
    trainer = trainer(vocab_size=150, special_tokens=["<unk>", "</s>"])
    tokenizer.train_from_iterator([*tokenizers.TEXT, *TEXTS], trainer)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", eos_token="</s>", pad_token="</s>"
    )
    wrapped.add_special_tokens({"additional_special_tokens": MARKS})
    return vocabulary(wrapped)


def sentencepiece_model() -> Vocabulary:
    """A SentencePiece model as such, with a dummy prefix."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([*tokenizers.TEXT, *TEXTS]),
        model_writer=model,
        vocab_size=70,
        add_dummy_prefix=True,
        user_defined_symbols=MARKS,
        minloglevel=2,
    )
    return Vocabulary.from_sentencepiece(
        sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    )


def llama() -> Vocabulary:
    """As Llama's: every blank is a "▁", one is written in front, and one is taken off again."""
    return fast(
        models.BPE(unk_token="<unk>"),
        normalizer=normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]),
        decoder=decoders.Sequence(
            [decoders.Replace("▁", " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
        ),
    )


def metaspace() -> Vocabulary:
    """As T5's: a blank in front of every text, unless it begins with one."""
    return fast(
        models.BPE(unk_token="<unk>"),
        pre_tokenizer=pre_tokenizers.Metaspace(),
        decoder=decoders.Metaspace(),
    )


@dataclass(frozen=True)
class Stripping:
    """A codec that takes blanks off both ends of a text."""

    codec: Any

    def encode(self, text: str) -> list[int]:
        return self.codec.encode(text)  # type: ignore[no-any-return]

    def decode(self, ids: Any) -> str:
        return self.codec.decode(ids).strip()  # type: ignore[no-any-return]


def stripping() -> Vocabulary:
    """Byte-level BPE whose texts lose the blanks at their ends."""
    vocab = vocabulary(lossless())
    return replace(vocab, codec=Stripping(vocab.codec))


def normalizing() -> Vocabulary:
    """As BERT's: lower case, single blanks, and pieces joined again."""
    return fast(
        models.WordPiece(unk_token="<unk>"),
        normalizer=normalizers.BertNormalizer(),
        pre_tokenizer=pre_tokenizers.BertPreTokenizer(),
        decoder=decoders.WordPiece(),
    )


def byte_level() -> Vocabulary:
    return vocabulary(lossless())


#: With each, whether there are cuts inside tokens.
FAMILIES: dict[Callable[[], Vocabulary], bool] = {
    sentencepiece_model: False,
    llama: False,
    metaspace: False,
    byte_level: True,
    stripping: True,
    normalizing: False,
}
families = pytest.mark.parametrize("family", FAMILIES)


@pytest.mark.parametrize("spm", [0.0, 1.0], ids=["PSM", "SPM"])
@families
@pytest.mark.filterwarnings("ignore::maskplug.errors.MaskplugWarning")
def test_no_sample_decodes_to_another_text(family: Any, spm: float) -> None:
    vocab = family()
    codec = vocab.codec
    assert codec is not None
    rows = [list(codec.encode(TEXTS[i % len(TEXTS)])) for i in range(200)]
    rows = [[i for i in row if not vocab.special[i]] for row in rows]
    tokens = TokenBatch.from_lists(rows, keys=range(200))
    options = {"rate": 1.0, "spm": spm}
    strategies = [maskplug.strategy("fim", level=x, **options) for x in ("token", "character")]
    by_tokens, by_texts = (s(tokens, vocab).inputs.to_lists() for s in strategies)
    marks = [vocab.id_of(mark, "a test") for mark in MARKS]
    for row, inputs in zip(rows, by_texts, strict=True):
        restored = restore.from_fim(inputs, *marks, vocab).tolist()
        assert codec.decode(restored) == codec.decode(row)
        assert codec.decode([*row, *restored, *row]) == codec.decode(row * 3)  # blanks at its ends
        assert [inputs.count(mark) for mark in marks] == [1, 1, 1]
        if spm:
            first = inputs.index(marks[1]) + 1
            assert codec.decode(row).startswith(codec.decode(inputs[first:]))
    differ = sum(a != b for a, b in zip(by_tokens, by_texts, strict=True))
    assert differ > 50 if FAMILIES[family] else differ < 50
    for i in (0, 7, 199):  # a sample alone has the same mask
        assert strategies[1](tokens.row(i), vocab).inputs.to_lists() == [by_texts[i]]


@families
def test_tokenizers_that_allow_hardly_any_cut_are_named(family: Any) -> None:
    vocab = family()
    assert vocab.codec is not None
    row = [i for i in vocab.codec.encode(TEXTS[0]) if not vocab.special[i]]
    tokens = TokenBatch.from_lists([row] * 20, keys=range(20))
    strategy = maskplug.strategy("fim", rate=1.0, level="character")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            strategy(tokens, vocab)
    messages = [str(one.message) for one in caught if issubclass(one.category, MaskplugWarning)]
    assert len(messages) == (0 if FAMILIES[family] else 1)
    assert all("choose level='token'" in message for message in messages)
