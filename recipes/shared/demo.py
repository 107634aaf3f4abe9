"""Run a recipe on its sample: prepare, train and score in every framework, compare the masks."""

from __future__ import annotations

from collections.abc import Sequence

from recipes.shared import masks, scores, steps
from recipes.shared.corpora import Corpus, in_folder
from recipes.shared.plan import NONE, Run
from recipes.shared.prepare import prepare
from recipes.shared.screen import console, moving, show_summary
from recipes.shared.settings import Recipe
from recipes.shared.workspace import Workspace


def show(recipe: Recipe, work: Workspace, strategy: str, frameworks: Sequence[str] = ()) -> None:
    """Prepare, train and score, then compare the masks row by row.

    Args:
        recipe: the recipe in its sample form.
        work: the output folder.
        strategy: one of the recipe's strategies.
        frameworks: the frameworks to train in; all of the recipe's if empty.

    Raises:
        RecipeError: if a step fails, or if the masks of the frameworks differ.
    """
    frameworks = frameworks or recipe.frameworks
    runs = [Run(recipe, work, framework, strategy, seed=1) for framework in frameworks]
    files = in_folder(recipe.folder / recipe.data, recipe.corpora[0])
    with moving("reading") as step:
        prepare(recipe, work, Corpus("sample", files).tables(recipe), step, "sample")
    show_summary(work, f"{recipe.title}: the sample")
    for run in runs:
        console.print(f"\n[dim]$ {steps.command(run)}")
        with moving() as step:
            steps.train(run, 1, step)  # at this size, more threads only wait for each other
            metrics = steps.evaluate(run, "test", 1, step)
            steps.record(run, metrics, work.root / "results.json")
        console.print(f"  [bold]{scores.summary(metrics)}")
    if runs[0].masking["name"] != NONE:
        console.print()
        masks.compare(runs, epochs=3)
    console.print(
        "[dim]The sample only shows that all parts work; good models need more data and time."
    )
