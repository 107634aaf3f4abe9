"""A recipe from its sample to scores in every framework, and the masks of all of them."""

from __future__ import annotations

from recipes.shared import masks, scores, steps
from recipes.shared.corpora import Corpus, in_folder
from recipes.shared.plan import NONE, Run
from recipes.shared.prepare import prepare
from recipes.shared.screen import console, moving, show_summary
from recipes.shared.settings import Recipe
from recipes.shared.workspace import Workspace


def show(recipe: Recipe, work: Workspace, strategy: str) -> None:
    """Prepare, train, score; then compare the masks, row by row.

    Raises:
        RecipeError: when a step fails, or a mask is not the same in all frameworks.
    """
    runs = [Run(recipe, work, framework, strategy, seed=1) for framework in recipe.frameworks]
    files = in_folder(recipe.folder / recipe.data, recipe.corpora[0])
    with moving("reading") as step:
        prepare(recipe, work, Corpus("sample", files).tables(recipe), step, "sample")
    show_summary(work, f"{recipe.title}: the sample")
    for run in runs:
        console.print(f"\n[dim]$ {steps.command(run)}")
        with moving() as step:
            steps.train(run, 1, step)  # more threads wait for each other at this size
            metrics = steps.evaluate(run, "test", 1, step)
            steps.record(run, metrics, work.root / "results.json")
        console.print(f"  [bold]{scores.told(metrics)}")
    if runs[0].masking["name"] != NONE:
        console.print()
        masks.compare(runs, epochs=3)
    console.print(
        "[dim]The sample shows that all parts work together; good models need more rows and time."
    )
