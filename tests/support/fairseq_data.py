"""Small corpora for fairseq, and the masks that the core makes of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from fairseq import options
from fairseq.data import Dictionary
from fairseq_cli import preprocess

import maskplug
import maskplug_fairseq
from maskplug.parts import Replacement

#: Rows of the parallel corpus, and of the monolingual texts (plus one empty line).
SIZES = {"train": 64, "valid": 12, "test": 10}
LINES = {"train": 40, "valid": 9, "test": 7}
LANGUAGES = {"source": "de", "target": "en"}
LABELS = ("yes", "no")
#: More tokens than any line has.
LENGTH = 96
BOS, PAD, EOS = 0, 1, 2


def dictionary(*symbols: str) -> Dictionary:
    """Return a dictionary with these symbols."""
    words = Dictionary()
    for symbol in symbols:
        words.add_symbol(symbol)
    return words


def sentence(pick: random.Random) -> str:
    """Return 15 to 40 words of one or two SentencePiece pieces."""
    words = []
    for _ in range(pick.randint(15, 40)):
        stem, end = f"▁w{pick.randrange(30)}", f"e{pick.randrange(5)}"
        words.append(stem if pick.random() < 0.5 else f"{stem} {end}")
    return " ".join(words)


def encode(words: Dictionary, file: Path) -> list[list[int]]:
    """Return the ids of every line, with the end of sequence."""
    lines = file.read_text().splitlines()
    return [words.encode_line(line, add_if_not_exist=False).tolist() for line in lines]


def run_preprocess(*flags: str) -> None:
    """Run fairseq-preprocess."""
    parser = options.get_preprocessing_parser()
    preprocess.main(parser.parse_args([*flags, "--workers", "1"]))


# --- a parallel corpus ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Corpus:
    """A parallel corpus: text files and binarized data."""

    folder: Path

    @property
    def data(self) -> str:
        return str(self.folder / "data-bin")

    def dictionary(self, side: str) -> Dictionary:
        return Dictionary.load(f"{self.data}/dict.{LANGUAGES[side]}.txt")

    def vocabulary(self, side: str, symbol: str = "auto") -> maskplug.Vocabulary:
        return maskplug_fairseq.vocabulary(self.dictionary(side), symbol)

    def rows(self, side: str, split: str = "train") -> list[list[int]]:
        """Return the ids of every sentence, encoded from the text file."""
        return encode(self.dictionary(side), self.folder / f"{split}.{LANGUAGES[side]}")

    def expected(
        self, side: str, epoch: int, name: str = "dynamic", step: Any = 0, **more: Any
    ) -> dict[int, list[int]]:
        """Return the core's masked inputs of the training rows at an epoch counted from 0."""
        rate = {} if name == "compose" else {"rate": 0.3}
        strategy = maskplug.strategy(name, **{**rate, **more.pop("options", {})})
        keys = np.arange(SIZES["train"], dtype=np.uint64)
        keys = maskplug.derive(keys, "target") if side == "target" else keys
        tokens = maskplug.TokenBatch.from_lists(self.rows(side), keys)
        vocab = self.vocabulary(side, more.pop("symbol", "auto"))
        masked = strategy(tokens, vocab, seed=7, epoch=epoch, step=step, **more)
        return dict(enumerate(masked.inputs.to_lists()))


def write_corpus(folder: Path, texts: dict[str, dict[str, list[str]]]) -> Corpus:
    """Write lines by split and side, and run fairseq-preprocess."""
    for split, sides in texts.items():
        for side, lines in sides.items():
            (folder / f"{split}.{LANGUAGES[side]}").write_text("\n".join(lines) + "\n")
    prefixes = [x for split in texts for x in (f"--{split}pref", str(folder / split))]
    run_preprocess("-s", "de", "-t", "en", "--destdir", str(folder / "data-bin"), *prefixes)
    return Corpus(folder)


def make_corpus(folder: Path, sentences: int = 1) -> Corpus:
    """Return a random parallel corpus with this number of sentences per source."""
    pick = random.Random(5)
    texts: dict[str, dict[str, list[str]]] = {}
    for split, size in SIZES.items():
        counts = {"source": sentences, "target": 1}
        texts[split] = {
            side: [" ".join(sentence(pick) for _ in range(counts[side])) for _ in range(size)]
            for side in LANGUAGES
        }
    return write_corpus(folder, texts)


# --- monolingual text and labels -----------------------------------------------------------------


@dataclass(frozen=True)
class Text:
    """Monolingual text: German in the data folder, German and English in folders below it."""

    folder: Path

    @property
    def data(self) -> str:
        return str(self.folder / "data-bin")

    def dictionary(self, *added: str) -> Dictionary:
        words = Dictionary.load(f"{self.data}/dict.txt")
        for symbol in added:
            words.add_symbol(symbol)
        return words

    def lines(self, split: str, language: str = "de") -> list[list[int]]:
        """Return the ids of every line, without the end of sequence."""
        return [row[:-1] for row in encode(self.dictionary(), self.folder / f"{split}.{language}")]


def binarize(text: Path, folder: Path, *flags: str, split: str = "train") -> None:
    """Run fairseq-preprocess on one file."""
    run_preprocess(f"--{split}pref", str(text), "--destdir", str(folder), "--only-source", *flags)


def make_text(folder: Path) -> Text:
    """Return random texts with an empty line in each."""
    pick = random.Random(6)
    for split, size in LINES.items():
        for language in LANGUAGES.values():
            lines = [sentence(pick) for _ in range(size)]
            lines.insert(3, "")
            (folder / f"{split}.{language}").write_text("\n".join(lines) + "\n")
    whole = folder / "all"
    whole.write_text("".join((folder / f"train.{name}").read_text() for name in ("de", "en")))
    binarize(whole, folder / "dict", "--dict-only")
    for language, name in (("de", "."), ("de", "de"), ("en", "en")):
        shared = ["--srcdict", str(folder / "dict" / "dict.txt")]
        for split in LINES:
            binarize(
                folder / f"{split}.{language}", folder / "data-bin" / name, *shared, split=split
            )
    return Text(folder)


@dataclass(frozen=True)
class Labelled:
    """Lines or pairs of lines with a label, for fairseq's sentence_prediction."""

    folder: Path
    text: Text

    @property
    def data(self) -> str:
        return str(self.folder)

    def labels(self, split: str) -> list[str]:
        return (self.folder / f"{split}.label").read_text().split()


def make_labelled(folder: Path, text: Text, inputs: int = 2) -> Labelled:
    """Return the lines of one or both languages of a text, with random labels."""
    pick = random.Random(8)
    for split, size in LINES.items():
        lines = "".join(f"{pick.choice(LABELS)}\n" for _ in range(size + 1))
        (folder / f"{split}.label").write_text(lines)
    shared = ["--srcdict", str(text.folder / "dict" / "dict.txt")]
    for i, language in enumerate(["de", "en"][:inputs]):
        for split in LINES:
            file = text.folder / f"{split}.{language}"
            binarize(file, folder / f"input{i}", *shared, split=split)
    binarize(folder / "train.label", folder / "label", split="train")
    known = ["--srcdict", str(folder / "label" / "dict.txt")]
    binarize(folder / "valid.label", folder / "label", *known, split="valid")
    return Labelled(folder, text)


def cut(lines: list[list[Any]], mode: str, size: int) -> list[list[Any]]:
    """Cut lines into rows of at most ``size`` tokens; a second implementation for comparison."""
    if mode == "eos":
        return lines
    if mode == "none":
        flat = [token for line in lines for token in line]
        return [flat[i : i + size] for i in range(0, len(flat), size)]
    empty = min(map(len, lines))
    rows: list[list[Any]] = [[]]
    for line in lines:
        if mode == "complete_doc" and len(line) == empty:
            rows.append([])
        elif rows[-1] and len(rows[-1]) + len(line) > size:
            rows.append(list(line))
        else:
            rows[-1].extend(line)
    return [row for row in rows if row]


def mask_rows(
    rows: list[list[int]],
    words: Dictionary,
    keys: Any,
    epoch: int,
    spec: tuple[str, dict[str, Any]],
    special: Sequence[int] = (),
    **annotations: list[list[bool]],
) -> maskplug.Masked:
    """Return the core's result for rows at an epoch counted from 0."""
    name, strategy_options = spec
    tokens = maskplug.TokenBatch.from_lists(rows, np.asarray(keys, np.uint64), **annotations)
    vocab = maskplug_fairseq.vocabulary(words)
    if special:
        vocab = replace(vocab, special_ids=[*vocab.special_ids, *special])
    return maskplug.strategy(name, **strategy_options)(tokens, vocab, seed=7, epoch=epoch)


@dataclass(frozen=True)
class Doubled(Replacement):
    """Write every selected token twice, so that rows grow."""

    def replace(self, tokens: Any, selection: Any, vocab: Any, rng: Any) -> maskplug.Ragged:
        rows = [
            [x for i in range(a, b) for x in [int(tokens.ids[i])] * (1 + selection.mask[i])]
            for a, b in zip(tokens.offsets, tokens.offsets[1:], strict=False)
        ]
        return maskplug.Ragged.of(rows)

    def bound(self, lengths: Any, most: Any) -> Any:
        return lengths + most.tokens
