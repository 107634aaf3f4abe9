"""What a run consists of: the stages of a recipe under one strategy and one seed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from math import ceil
from pathlib import Path
from typing import Any

from maskplug import key_of
from maskplug.errors import did_you_mean
from recipes.shared.errors import RecipeError
from recipes.shared.settings import TEXT_TASKS, Recipe, Stage
from recipes.shared.workspace import Workspace

#: The strategy that masks nothing, and so leaves out what only masking makes a task of.
NONE = "none"


@dataclass(frozen=True)
class Run:
    """One model: a recipe, where it is kept, and what distinguishes it from the others.

    Args:
        recipe, work: what and where.
        framework: ``fairseq`` or ``huggingface``.
        strategy: one of the recipe's strategies, by its name there.
        seed: of the weights, the order of the rows, and the masks.
    """

    recipe: Recipe
    work: Workspace
    framework: str
    strategy: str
    seed: int

    def __post_init__(self) -> None:
        for what, value, choices in (
            ("framework", self.framework, self.recipe.frameworks),
            ("strategy", self.strategy, self.recipe.strategies),
        ):
            if value not in choices:
                raise RecipeError(
                    f"{what} {value!r} of {self.recipe.name}{did_you_mean(value, choices)}"
                )

    @property
    def folder(self) -> Path:
        """Where checkpoints, logs and results are."""
        return self.work.run(self.framework, self.strategy, self.seed)

    @property
    def attention(self) -> str:
        """The pattern across; "" for none."""
        return str(self.recipe.strategies[self.strategy].get("attention", ""))

    @property
    def masking(self) -> Mapping[str, Any]:
        """The strategy's name and options."""
        said = self.recipe.strategies[self.strategy]
        return {k: v for k, v in said.items() if k != "attention"} | {
            "name": said.get("name", NONE)
        }

    @property
    def fingerprint(self) -> str:
        """Eight bytes in hex that change with any setting of this run."""
        said = self.recipe
        settings = [asdict(part) for part in (said.rows, said.model, said.generation)]
        settings += [asdict(stage) for stage in said.stages]
        named = [
            said.columns,
            said.pieces,
            self.framework,
            self.strategy,
            self.seed,
            dict(self.masking),
            self.attention,
        ]
        rows = self.work.facts().get("request")
        return f"{key_of(json.dumps([settings, named, rows], default=str, sort_keys=True)):016x}"

    def stages(self) -> Iterator[StageRun]:
        """The trainings, one after the other; each but the first starts from the one before.

        Without masking there is no pre-training: the last stage is then as long as all together,
        so that strategies are compared at equal updates.
        """
        stages, rows = list(self.recipe.stages), self.work.facts()["summary"]["train"]["used"]
        if self.masking["name"] == NONE and len(stages) > 1:
            stages = [replace(stages[-1], updates=sum(stage.updates for stage in stages))]
        start = None
        for i, stage in enumerate(stages):
            used = min(rows, stage.limit or rows)
            folder = self.folder / f"{i + 1}-{stage.task}"
            yield StageRun(self, stage, folder, used, start)
            start = folder


@dataclass(frozen=True)
class StageRun:
    """One training of a run.

    Args:
        run: it belongs to.
        stage: its settings.
        folder: its checkpoints and logs.
        rows: how many of the prepared training rows it reads, the first ones.
        start: the folder of the stage before; None for the first.
    """

    run: Run
    stage: Stage
    folder: Path
    rows: int
    start: Path | None

    @property
    def masking(self) -> Mapping[str, Any]:
        """The strategy's name and options, ``none`` where this stage reads clean text."""
        return self.run.masking if self.stage.masked else {"name": NONE}

    @property
    def options(self) -> dict[str, Any]:
        """The strategy's options."""
        return {key: value for key, value in self.masking.items() if key != "name"}

    @property
    def text_columns(self) -> tuple[str, ...]:
        """Whose texts are read by tasks of text alone."""
        return self.stage.columns or self.run.recipe.text_columns

    @property
    def log_every(self) -> int:
        """The updates between two losses in the log."""
        return max(1, min(50, self.stage.updates // 20))

    @property
    def epochs(self) -> int:
        """The epochs that the updates go through, the last one perhaps in part."""
        many = len(self.text_columns) if self.stage.task in TEXT_TASKS else 1
        return ceil(self.stage.updates / ceil(self.rows * many / self.stage.batch))
