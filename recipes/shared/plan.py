"""Runs and their stages: a recipe with one strategy and one seed."""

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

#: The strategy without masking, which skips the stages that need masks.
NONE = "none"


@dataclass(frozen=True)
class Run:
    """The training of one model.

    Args:
        recipe: its settings.
        work: the output folder.
        framework: ``fairseq`` or ``huggingface``.
        strategy: the name of one of the recipe's strategies.
        seed: of the weights, the order of the rows and the masks.
    """

    recipe: Recipe
    work: Workspace
    framework: str
    strategy: str
    seed: int

    def __post_init__(self) -> None:
        for name, value, choices in (
            ("framework", self.framework, self.recipe.frameworks),
            ("strategy", self.strategy, self.recipe.strategies),
        ):
            if value not in choices:
                raise RecipeError(
                    f"{name} {value!r} of {self.recipe.name}{did_you_mean(value, choices)}"
                )

    @property
    def folder(self) -> Path:
        """The folder of checkpoints, logs and results."""
        return self.work.run(self.framework, self.strategy, self.seed)

    @property
    def attention(self) -> str:
        """The cross-attention pattern; "" for none."""
        return str(self.recipe.strategies[self.strategy].get("attention", ""))

    @property
    def masking(self) -> Mapping[str, Any]:
        """The name and options of the strategy."""
        settings = {"name": NONE, **self.recipe.strategies[self.strategy]}
        return {name: value for name, value in settings.items() if name != "attention"}

    @property
    def fingerprint(self) -> str:
        """Eight bytes in hex that depend on every setting of this run."""
        recipe = self.recipe
        settings = [asdict(part) for part in (recipe.rows, recipe.model, recipe.generation)]
        settings += [asdict(stage) for stage in recipe.stages]
        choices = [
            recipe.columns,
            recipe.pieces,
            self.framework,
            self.strategy,
            self.seed,
            dict(self.masking),
            self.attention,
        ]
        rows = self.work.facts().get("request")
        return f"{key_of(json.dumps([settings, choices, rows], default=str, sort_keys=True)):016x}"

    def stages(self) -> Iterator[StageRun]:
        """Yield the trainings in their order; each starts from the result of the previous one.

        Without masking there is no pre-training; the last stage then gets the updates of all
        stages, so that strategies are compared at equal updates.
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
        run: the run.
        stage: its settings.
        folder: its checkpoints and logs.
        rows: the number of prepared training rows that it reads, from the first on.
        start: the folder of the previous stage; None for the first stage.
    """

    run: Run
    stage: Stage
    folder: Path
    rows: int
    start: Path | None

    @property
    def masking(self) -> Mapping[str, Any]:
        """The name and options of the strategy; ``none`` if this stage is not masked."""
        return self.run.masking if self.stage.masked else {"name": NONE}

    @property
    def options(self) -> dict[str, Any]:
        """The options of the strategy."""
        return {key: value for key, value in self.masking.items() if key != "name"}

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The columns that tasks on text alone read."""
        return self.stage.columns or self.run.recipe.text_columns

    @property
    def log_every(self) -> int:
        """The number of updates between two losses in the log."""
        return max(1, min(50, self.stage.updates // 20))

    @property
    def epochs(self) -> int:
        """The number of epochs that the updates begin."""
        columns = len(self.text_columns) if self.stage.task in TEXT_TASKS else 1
        return ceil(self.stage.updates / ceil(self.rows * columns / self.stage.batch))
