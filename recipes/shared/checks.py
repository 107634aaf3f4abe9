"""Check the settings of a recipe before anything is read or written."""

from __future__ import annotations

from maskplug.attention import pattern
from maskplug.errors import MaskplugError, did_you_mean
from maskplug.strategy import strategy as make_strategy
from recipes.shared.errors import RecipeError
from recipes.shared.settings import FAMILIES, FRAMEWORKS, TASKS, TEXT_TASKS, Recipe, Stage


def check(recipe: Recipe) -> None:
    """Check every choice, number, strategy and pattern.

    Raises:
        RecipeError: names the file, the key, the value and the choices.
    """
    where = recipe.path
    choices: list[tuple[str, str, tuple[str, ...]]] = []
    choices += [("model: family", recipe.model.family, FAMILIES)]
    for stage in recipe.stages:
        choices += [("stages: task", stage.task, TASKS)]
        choices += [("stages: columns", name, recipe.columns) for name in stage.columns]
    choices += [("frameworks", name, FRAMEWORKS) for name in recipe.frameworks]
    choices += [("rows: bad", recipe.rows.bad, ("skip", "refuse"))]
    choices += [("rows: long", recipe.rows.long, ("skip", "truncate"))]
    for key, value, allowed in choices:
        if value not in allowed:
            raise RecipeError(f"{where}: {key} is {value!r}{did_you_mean(value, allowed)}")
    if not 1 <= recipe.rows.max_length <= 510:
        length = recipe.rows.max_length
        raise RecipeError(f"{where}: rows: max_length is {length}; it must be 1 to 510")
    for key in ("stages", "corpora"):
        if not getattr(recipe, key):
            raise RecipeError(f"{where}: {key} is empty")
    for stage in recipe.stages:
        _stage(recipe, stage)
    _together(recipe)
    _strategies(recipe)


def _stage(recipe: Recipe, stage: Stage) -> None:
    where, columns = recipe.path, recipe.columns
    for key, minimum in (("updates", 1), ("batch", 1), ("every", 1), ("warmup", 0), ("limit", 0)):
        value = getattr(stage, key)
        if value < minimum:
            raise RecipeError(f"{where}: stages: {key} is {value}; it must be at least {minimum}")
    if stage.updates % stage.every:
        raise RecipeError(
            f"{where}: stages: updates is {stage.updates}; it must be a multiple of every "
            f"({stage.every}), or the last updates would have no checkpoint"
        )
    fits = {"translation": len(columns) == 2, "classification": "label" in columns[1:]}
    if not fits.get(stage.task, True):
        raise RecipeError(
            f"{where}: columns are {', '.join(columns)}; translation needs two columns, "
            "classification a text column and 'label'"
        )


def _together(recipe: Recipe) -> None:
    """Check the stages as a whole."""
    where, stages = recipe.path, recipe.stages
    total = sum(stage.updates for stage in stages)
    if total % stages[-1].every:  # without masking, the last stage gets all updates
        raise RecipeError(
            f"{where}: stages: all updates are {total}; they must be a multiple of every of the "
            f"last stage ({stages[-1].every})"
        )
    read = ["text" if stage.task in TEXT_TASKS else stage.task for stage in stages]
    if len(set(read)) < len(read):
        raise RecipeError(f"{where}: stages: two stages read the same kind of rows")


def _strategies(recipe: Recipe) -> None:
    """Build every strategy and pattern once to find errors before training."""
    try:
        setting = "model: encoder_attention"
        if recipe.model.encoder_attention:
            pattern(recipe.model.encoder_attention)
        for name, options in recipe.strategies.items():
            setting = f"strategies: {name}"
            rest = {k: v for k, v in options.items() if k not in ("name", "attention")}
            make_strategy(options.get("name", "none"), **rest)
            if options.get("attention"):
                pattern(options["attention"])
    except MaskplugError as error:
        raise RecipeError(f"{recipe.path}: {setting}: {error}") from None
