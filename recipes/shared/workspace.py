"""Where a recipe keeps what it makes."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Workspace:
    """The folder of a prepared corpus and of all runs on it."""

    root: Path

    @property
    def prepared(self) -> Path:
        """What was prepared, from which files: the last thing that preparing writes."""
        return self.root / "prepared.json"

    @property
    def skipped(self) -> Path:
        """The rows that were left out, and why."""
        return self.root / "skipped.tsv"

    @property
    def truncated(self) -> Path:
        """The rows that were made shorter."""
        return self.root / "truncated.tsv"

    @property
    def pieces(self) -> Path:
        """The SentencePiece model."""
        return self.root / "spm.model"

    @property
    def dictionary(self) -> Path:
        """Fairseq's dictionary, which decides the ids in both frameworks."""
        return self.root / "dict.txt"

    @property
    def tokenizer(self) -> Path:
        """The Hugging Face tokenizer."""
        return self.root / "tokenizer"

    def text(self, split: str, column: str) -> Path:
        """One column of one split, a row a line."""
        return self.root / "text" / f"{split}.{column}"

    def encoded(self, split: str, column: str) -> Path:
        """The same as pieces."""
        return self.root / "encoded" / f"{split}.{column}"

    def data_bin(self, name: str) -> Path:
        """Fairseq's binary data: ``pairs``, ``text`` or ``labelled``."""
        return self.root / "data-bin" / name

    def run(self, framework: str, strategy: str, seed: int) -> Path:
        """The folder of one run."""
        return self.root / "runs" / f"{framework}-{strategy}-{seed}"

    def facts(self) -> dict[str, Any]:
        """What was prepared; empty before."""
        if not self.prepared.exists():
            return {}
        found: dict[str, Any] = json.loads(self.prepared.read_text("utf-8"))
        return found

    @property
    def corpus(self) -> str:
        """What results call the prepared rows."""
        return str(self.facts()["request"]["corpus"])

    def lines(self, split: str, column: str) -> list[str]:
        """The texts of one column of one split."""
        return self.text(split, column).read_text("utf-8").removesuffix("\n").split("\n")


def default(recipe: str, corpus: str) -> Path:
    """Where work is kept unless the user says otherwise."""
    return Path("runs") / recipe / corpus


def write(path: Path, text: str) -> None:
    """Write a file as a whole or not at all: a killed run leaves the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
