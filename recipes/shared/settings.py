"""The settings in the configuration file of a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RECIPES = Path(__file__).parents[1]
TASKS = ("translation", "denoising", "masked_lm", "classification")
#: The tasks that read text without targets.
TEXT_TASKS = ("denoising", "masked_lm")
FAMILIES = ("marian", "bart", "bert")
FRAMEWORKS = ("fairseq", "huggingface")
#: The names of the feed-forward layers in both frameworks.
FEED_FORWARD = ("fc1", "fc2")


@dataclass(frozen=True)
class Rows:
    """The selection of rows.

    Args:
        max_length: the maximum number of pieces in a column, up to 510, the limit of the models.
        long: ``skip`` treats longer rows as bad; ``truncate`` truncates the first column, and
            treats rows as bad whose second column is too long.
        bad: ``skip`` skips and counts bad rows; ``refuse`` stops with an error.
    """

    max_length: int = 256
    long: str = "skip"
    bad: str = "skip"


@dataclass(frozen=True)
class Model:
    """The size of the models, equal in both frameworks.

    Args:
        family: ``marian`` (fairseq's transformer), ``bart``, ``bert`` (fairseq's RoBERTa).
        layers, decoder_layers, width, heads, feed_forward, dropout: the usual sizes.
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
    """One training.

    Args:
        task: one of ``TASKS``; ``translation`` is for any pair of texts.
        updates: optimizer steps.
        batch: rows per step.
        learning_rate: the maximum, after ``warmup`` updates; then it decreases linearly to 0.
        every: updates between validations; a checkpoint is saved at each of them.
        label_smoothing: of the loss.
        masked: whether the compared strategy masks the rows of this stage.
        columns: the columns that tasks on text alone read; all by default.
        limit: the number of training rows to read, from the first on; 0 reads all.
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
    """The search for translations and summaries.

    Args:
        beam: the number of hypotheses; 1 is greedy search.
        max_a, max_b: the maximum length is ``max_a`` · source + ``max_b`` pieces.
        delays: the values of k with which wait-k models translate the test set.
    """

    beam: int = 1
    max_a: float = 1.2
    max_b: int = 10
    delays: tuple[int, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """The configuration of a recipe.

    Args:
        name: the name of its folder, or of the user's own file.
        title: the displayed title.
        columns: the columns of its rows; ``label`` contains classes.
        corpora: the names of its corpora; the first is the default.
        metric: the main score.
        pieces: the size of the SentencePiece vocabulary.
        strategies: the compared strategies: name → strategy and options; the option ``attention``
            is a cross-attention pattern (fairseq only).
        model, stages, rows, generation: see their classes.
        frameworks: the frameworks that it supports.
        data: the folder of the sample, relative to the recipe's folder.
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
    def argument(self) -> str:
        """The name on the command line; the path for a file outside the recipes."""
        return self.name if self.path.parent.parent == RECIPES else str(self.path)

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The columns of text."""
        return tuple(name for name in self.columns if name != "label")

    @property
    def folder(self) -> Path:
        """The folder of the configuration file, the sample, the results and the curves."""
        return self.path.parent
