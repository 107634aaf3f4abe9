"""The output folder of a recipe."""

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
        """The description of the prepared rows, which is written last."""
        return self.root / "prepared.json"

    @property
    def skipped(self) -> Path:
        """The skipped rows with their reasons."""
        return self.root / "skipped.tsv"

    @property
    def truncated(self) -> Path:
        """The truncated rows."""
        return self.root / "truncated.tsv"

    @property
    def pieces(self) -> Path:
        """The SentencePiece model."""
        return self.root / "spm.model"

    @property
    def dictionary(self) -> Path:
        """The dictionary of fairseq, which determines the ids in both frameworks."""
        return self.root / "dict.txt"

    @property
    def tokenizer(self) -> Path:
        """The Hugging Face tokenizer."""
        return self.root / "tokenizer"

    def text(self, split: str, column: str) -> Path:
        """Return the file of a column of a split, with one row per line."""
        return self.root / "text" / f"{split}.{column}"

    def encoded(self, split: str, column: str) -> Path:
        """Return the file of the pieces of a column."""
        return self.root / "encoded" / f"{split}.{column}"

    def data_bin(self, name: str) -> Path:
        """Return the folder of fairseq's binary data: ``pairs``, ``text`` or ``labelled``."""
        return self.root / "data-bin" / name

    def run(self, framework: str, strategy: str, seed: int) -> Path:
        """Return the folder of a run."""
        return self.root / "runs" / f"{framework}-{strategy}-{seed}"

    def facts(self) -> dict[str, Any]:
        """Return the description of the prepared rows; empty before they are prepared."""
        if not self.prepared.exists():
            return {}
        facts: dict[str, Any] = json.loads(self.prepared.read_text("utf-8"))
        return facts

    @property
    def corpus(self) -> str:
        """The name of the prepared rows in the results."""
        return str(self.facts()["request"]["corpus"])

    def lines(self, split: str, column: str) -> list[str]:
        """Return the texts of a column of a split."""
        return self.text(split, column).read_text("utf-8").removesuffix("\n").split("\n")


def default(recipe: str, corpus: str) -> Path:
    """Return the default output folder."""
    return Path("runs") / recipe / corpus


def write(path: Path, text: str) -> None:
    """Write a file atomically: a killed run leaves the old file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
