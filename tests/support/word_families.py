"""Tokenizers as six families of models have them, trained from text of the repository."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)
from transformers import PreTrainedTokenizerFast

ROOT = Path(__file__).parents[2]
SENTENCES: dict[str, list[str]] = json.loads(
    (ROOT / "tests" / "support" / "data" / "sentences.json").read_text(encoding="utf-8")
)
#: How Llama 3 divides text; Qwen takes one digit at a time.
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN = LLAMA3.replace("{1,3}", "")
#: Of each family, and whether its pre-tokenizer divides text into words.
FAMILIES = ["bert", "gpt2", "modernbert", "llama3", "qwen", "xlmr", "t5"]


@cache
def text(split: str) -> list[str]:
    """English and German lines of the translation sample."""
    path = ROOT / "recipes" / "translation" / "data" / f"translation.en-de.{split}.tsv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [side for line in file for side in line.rstrip("\n").split("\t")]


def code() -> list[str]:
    """Source code, twenty lines each."""
    lines = (ROOT / "maskplug" / "strategy.py").read_text(encoding="utf-8").split("\n")
    return ["\n".join(lines[i : i + 20]) for i in range(0, len(lines), 20)]


@cache
def family(name: str) -> Any:
    """The tokenizer of a family."""
    tokenizer, trainer = {"bert": _bert, "xlmr": _metaspace, "t5": _metaspace, "llama": _llama}.get(
        name, lambda: _byte_level(name)
    )()
    lines = [line for some in SENTENCES.values() for line in some] * 3
    tokenizer.train_from_iterator([*text("train"), *code(), *lines], trainer)
    if name == "llama":
        tokenizer = _converted(tokenizer)
    unknown = {"bert": "[UNK]", "xlmr": "<unk>", "t5": "<unk>", "llama": "<unk>"}.get(name)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token=unknown)
    if name == "modernbert":
        fast.add_tokens([AddedToken(" " * n, normalized=False) for n in range(24, 1, -1)])
    fast.add_special_tokens({"mask_token": "<mask>", "pad_token": "<pad>"})
    return fast


def _bert() -> tuple[Tokenizer, Any]:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[UNK]"]
    return tokenizer, trainers.WordPieceTrainer(
        vocab_size=3000, special_tokens=special, show_progress=False
    )


def _byte_level(name: str) -> tuple[Tokenizer, Any]:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if name in ("llama3", "qwen"):
        split = pre_tokenizers.Split(Regex(LLAMA3 if name == "llama3" else QWEN), "isolated")
        plain = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, plain])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return tokenizer, trainers.BpeTrainer(
        vocab_size=3000, initial_alphabet=alphabet, show_progress=False
    )


def _metaspace() -> tuple[Tokenizer, Any]:
    tokenizer = Tokenizer(
        models.BPE(unk_token="<unk>")
    )  # for these words as good as a unigram model
    tokenizer.normalizer = normalizers.NFKC()
    parts = [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(parts)
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer, trainers.BpeTrainer(
        vocab_size=3000, special_tokens=["<unk>"], show_progress=False
    )


def _llama() -> tuple[Tokenizer, Any]:
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    parts = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence([*parts, decoders.Strip(" ", 1, 0)])
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    # Characters that are rare in the text are spelled by their bytes.
    return tokenizer, trainers.BpeTrainer(
        vocab_size=2000,
        limit_alphabet=80,
        special_tokens=["<unk>", *bytes_],
        show_progress=False,
    )


def _converted(tokenizer: Tokenizer) -> Tokenizer:
    """As a model of SentencePiece is converted: bytes are ordinary, and nothing divides words."""
    data = json.loads(tokenizer.to_str())
    data["added_tokens"] = [token for token in data["added_tokens"] if token["content"] == "<unk>"]
    data["pre_tokenizer"]["split"] = False
    return Tokenizer.from_str(json.dumps(data))
