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
    if isinstance(model, models.BPE):
        trainer: Any = trainers.BpeTrainer(vocab_size=150, special_tokens=["<unk>", "</s>"])
    else:
        trainer = trainers.WordPieceTrainer(vocab_size=150, special_tokens=["<unk>", "</s>"])
    tokenizer.train_from_iterator([*tokenizers.TEXT, *TEXTS], trainer)
    made = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", eos_token="</s>", pad_token="</s>"
    )
    made.add_special_tokens({"additional_special_tokens": MARKS})
    return vocabulary(made)


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


#: With each, whether there are cuts inside tokens.
FAMILIES: dict[str, tuple[Callable[[], Vocabulary], bool]] = {
    "sentencepiece": (sentencepiece_model, False),
    "llama": (llama, False),
    "metaspace": (metaspace, False),
    "byte-level": (lambda: vocabulary(lossless()), True),
    "stripping": (stripping, True),
    "normalizing": (normalizing, False),
}


@pytest.mark.parametrize("spm", [0.0, 1.0], ids=["PSM", "SPM"])
@pytest.mark.parametrize("family", FAMILIES)
def test_no_sample_decodes_to_another_text(family: str, spm: float) -> None:
    make, inside = FAMILIES[family]
    vocab = make()
    codec = vocab.codec
    assert codec is not None
    rows = [list(codec.encode(TEXTS[i % len(TEXTS)])) for i in range(400)]
    rows = [[i for i in row if not vocab.special[i]] for row in rows]
    tokens = TokenBatch.from_lists(rows, keys=range(400))
    options = {"rate": 1.0, "spm": spm}
    strategies = [maskplug.strategy("fim", level=x, **options) for x in ("token", "character")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MaskplugWarning)
        by_tokens, by_texts = (s(tokens, vocab).inputs.to_lists() for s in strategies)
    marks = [vocab.id_of(mark, "a test") for mark in MARKS]
    for row, made in zip(rows, by_texts, strict=True):
        back = restore.from_fim(made, *marks, vocab).tolist()
        assert codec.decode(back) == codec.decode(row)
        assert codec.decode([*row, *back, *row]) == codec.decode(row * 3)  # blanks at its ends
        assert [made.count(mark) for mark in marks] == [1, 1, 1]
        if spm:
            first = made.index(marks[1]) + 1
            text = codec.decode(made[first:])
            assert codec.decode(row).startswith(text)
    differ = sum(a != b for a, b in zip(by_tokens, by_texts, strict=True))
    assert differ > 100 if inside else differ < 100
    # Pure: each sample on its own, and in another order.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MaskplugWarning)
        for i in (0, 7, 399):
            assert strategies[1](tokens.row(i), vocab).inputs.to_lists() == [by_texts[i]]


@pytest.mark.parametrize("family", FAMILIES)
def test_tokenizers_that_allow_hardly_any_cut_are_named(family: str) -> None:
    make, inside = FAMILIES[family]
    vocab = make()
    assert vocab.codec is not None
    row = [i for i in vocab.codec.encode(TEXTS[0]) if not vocab.special[i]]
    tokens = TokenBatch.from_lists([row] * 20, keys=range(20))
    strategy = maskplug.strategy("fim", rate=1.0, level="character")
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("default")
        for _ in range(3):
            strategy(tokens, vocab)
    told = [str(w.message) for w in seen if issubclass(w.category, MaskplugWarning)]
    assert len(told) == (0 if inside else 1)
    assert all("choose level='token'" in message for message in told)
