"""From text to what both frameworks train on: SentencePiece, one joint dictionary, binary data.

The Hugging Face tokenizer is made of the same pieces with the same ids as fairseq's dictionary, so
that a sentence is the same row of numbers on both sides.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import click
import sentencepiece

from recipes.translation.corpus import Split

SOURCE, TARGET = "source", "target"


@dataclass(frozen=True)
class Workspace:
    """Where a run keeps its files."""

    root: Path

    @property
    def model(self) -> Path:
        """The SentencePiece model."""
        return self.root / "spm.model"

    @property
    def pieces(self) -> Path:
        """Fairseq's dictionary, before fairseq-preprocess copies it."""
        return self.root / "pieces.txt"

    @property
    def data_bin(self) -> Path:
        """Fairseq's binary data."""
        return self.root / "data-bin"

    @property
    def tokenizer(self) -> Path:
        """The Hugging Face tokenizer's folder."""
        return self.root / "tokenizer"

    def encoded(self, split: str, side: str) -> Path:
        """The pieces of one side of one split, as text."""
        return self.root / "encoded" / f"{split}.{side}"


def train_sentencepiece(work: Workspace, texts: Iterable[str], vocab_size: int) -> None:
    """Train one unigram model for both languages, with a piece ``<mask>``."""
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_prefix=str(work.model.with_suffix("")),
            vocab_size=vocab_size,
            character_coverage=1.0,
            user_defined_symbols=["<mask>"],
            minloglevel=2,
        )
    except RuntimeError as error:
        raise click.ClickException(f"SentencePiece with {vocab_size} pieces: {error}") from None


def encode(work: Workspace, splits: dict[str, Split]) -> None:
    """Write every split as pieces, and the dictionary in the order of the model."""
    processor = sentencepiece.SentencePieceProcessor(model_file=str(work.model))
    for name, split in splits.items():
        for side, texts in ((SOURCE, split.source), (TARGET, split.target)):
            path = work.encoded(name, side)
            path.parent.mkdir(parents=True, exist_ok=True)
            rows = processor.encode(texts, out_type=str)
            path.write_text("".join(" ".join(row) + "\n" for row in rows), encoding="utf-8")
    pieces = [processor.id_to_piece(i) for i in range(processor.get_piece_size())]
    ordinary = [p for p in pieces if p not in ("<unk>", "<s>", "</s>")]
    # The counts only fix the order, so that ids do not depend on the frequencies of the corpus.
    rows_of = (f"{piece} {len(ordinary) - i}\n" for i, piece in enumerate(ordinary))
    work.pieces.write_text("".join(rows_of), encoding="utf-8")


def binarize(work: Workspace, splits: Iterable[str]) -> None:
    """Run fairseq-preprocess with that dictionary for both sides."""
    shutil.rmtree(work.data_bin, ignore_errors=True)
    command = [sys.executable, "-m", "fairseq_cli.preprocess", "--joined-dictionary"]
    command += ["--source-lang", SOURCE, "--target-lang", TARGET, "--srcdict", str(work.pieces)]
    for split in splits:
        command += [f"--{split}pref", str(work.encoded(split, SOURCE).with_suffix(""))]
    command += ["--destdir", str(work.data_bin)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise click.ClickException(f"fairseq-preprocess failed:\n{done.stderr[-2000:]}")


def make_tokenizer(work: Workspace) -> None:
    """Save a Marian tokenizer whose ids are those of fairseq's dictionary."""
    from fairseq.data import Dictionary
    from transformers import MarianTokenizer

    symbols = Dictionary.load(str(work.data_bin / f"dict.{SOURCE}.txt")).symbols
    work.tokenizer.mkdir(exist_ok=True)
    vocab = work.root / "vocab.json"
    vocab.write_text(json.dumps({symbol: i for i, symbol in enumerate(symbols)}))
    tokenizer = MarianTokenizer(
        source_spm=str(work.model),
        target_spm=str(work.model),
        vocab=str(vocab),
        bos_token="<s>",  # Marian has no use for it, and it must not be drawn as a random word
        mask_token="<mask>",
    )
    tokenizer.save_pretrained(str(work.tokenizer))


def prepare(work: Workspace, splits: dict[str, Split], vocab_size: int) -> None:
    """Do all of the above, once: a finished workspace for the same request is left as it is."""
    request = work.root / "prepared.json"
    train = splits["train"]
    wanted = json.dumps([vocab_size, *(hash_of(s) for s in splits.values())])
    if request.exists() and request.read_text() == wanted:
        return
    work.root.mkdir(parents=True, exist_ok=True)
    train_sentencepiece(work, train.source + train.target, vocab_size)
    encode(work, splits)
    binarize(work, splits)
    make_tokenizer(work)
    request.write_text(wanted)


def hash_of(split: Split) -> int:
    """A number that changes when any line of the split does."""
    from maskplug import key_of

    return key_of("\n".join([*split.source, *split.target]))
