"""What a recipe's configuration file can say, as frozen dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RECIPES = Path(__file__).parents[1]
TASKS = ("translation", "denoising", "masked_lm", "classification")
#: Those that read text alone.
TEXT_TASKS = ("denoising", "masked_lm")
FAMILIES = ("marian", "bart", "bert")
FRAMEWORKS = ("fairseq", "huggingface")
#: What both frameworks call the feed-forward layers.
FEED_FORWARD = ("fc1", "fc2")


@dataclass(frozen=True)
class Rows:
    """Which rows are used.

    Args:
        max_length: the most pieces of a column; 510 is what the models can take.
        long: what becomes of longer ones: ``skip`` takes them for bad rows, ``truncate`` cuts the
            first column and takes rows whose second one is too long for bad.
        bad: ``skip`` leaves bad rows out and counts them, ``refuse`` stops at them.
    """

    max_length: int = 256
    long: str = "skip"
    bad: str = "skip"


@dataclass(frozen=True)
class Model:
    """The size of the models, the same in both frameworks.

    Args:
        family: ``marian`` (fairseq's transformer), ``bart``, ``bert`` (fairseq's RoBERTa).
        layers, decoder_layers, width, heads, feed_forward, dropout: as everywhere.
        encoder_attention: a pattern for the encoder (fairseq only).
    """

    family: str
    layers: int = 3
    decoder_layers: int = 3
    width: int = 128
    heads: int = 4
    feed_forward: int = 512
    dropout: float = 0.1
    encoder_attention: str = ""


@dataclass(frozen=True)
class Stage:
    """One training: what, how long, how.

    Args:
        task: one of ``TASKS``; ``translation`` is for any pair of texts.
        updates: optimizer steps.
        batch: rows a step.
        learning_rate: its peak, after ``warmup`` updates; then it falls to 0 on a line.
        every: updates between validations; there is a checkpoint at each.
        label_smoothing: of the loss.
        masked: whether the strategy that is compared masks the rows of this stage.
        columns: whose texts are read, where a task reads text alone; all of them by default.
        limit: how many of the training rows are read, the first ones; 0 reads all.
    """

    task: str
    updates: int
    batch: int
    learning_rate: float
    warmup: int = 0
    every: int = 500
    label_smoothing: float = 0.0
    masked: bool = True
    columns: tuple[str, ...] = ()
    limit: int = 0


@dataclass(frozen=True)
class Generation:
    """How translations and summaries are made: ``beam`` 1 is greedy search.

    Args:
        beam: hypotheses that are kept.
        max_a, max_b: at most ``max_a`` · source + ``max_b`` pieces.
        delays: for wait-k, the k that the test set is translated at.
    """

    beam: int = 1
    max_a: float = 1.2
    max_b: int = 10
    delays: tuple[int, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """All that a recipe's file says.

    Args:
        name: the folder, or what a file of the user's own is called.
        title: for people.
        columns: of its rows; a column ``label`` holds classes.
        corpora: the names of its corpora, the first one is the default.
        metric: the score that tables put first.
        pieces: the size of the SentencePiece vocabulary.
        strategies: what is compared: name → strategy and options; ``attention`` among the options
            is the pattern across (fairseq only).
        model, stages, rows, generation: see there.
        frameworks: those that it runs in.
        data: the folder of the sample, seen from the recipe's.
        path: the configuration file.
        sample: whether these are the sample's settings.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    corpora: tuple[str, ...]
    metric: str
    pieces: int
    strategies: Mapping[str, Mapping[str, Any]]
    model: Model
    stages: tuple[Stage, ...]
    rows: Rows = field(default_factory=Rows)
    generation: Generation = field(default_factory=Generation)
    frameworks: tuple[str, ...] = FRAMEWORKS
    data: str = "data"
    path: Path = Path()
    sample: bool = False

    @property
    def asked(self) -> str:
        """What a user calls it: the name, or the path of a file that is not among the recipes."""
        return self.name if self.path.parent.parent == RECIPES else str(self.path)

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The columns that are text."""
        return tuple(name for name in self.columns if name != "label")

    @property
    def folder(self) -> Path:
        """Where the configuration file lies, and the sample, the results and the curves."""
        return self.path.parent
