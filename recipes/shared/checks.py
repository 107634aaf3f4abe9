"""What fits together in a recipe's settings: found out before anything is read or written."""

from __future__ import annotations

from maskplug.attention import pattern
from maskplug.errors import MaskplugError, did_you_mean
from maskplug.strategy import strategy as make_strategy
from recipes.shared.errors import RecipeError
from recipes.shared.settings import FAMILIES, FRAMEWORKS, TASKS, TEXT_TASKS, Recipe, Stage


def check(recipe: Recipe) -> None:
    """Meet every wrong choice, number, strategy and pattern now.

    Raises:
        RecipeError: that names the file, the key, the value and the choices.
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
        raise RecipeError(f"{where}: rows: max_length is {recipe.rows.max_length}, not 1 to 510")
    for key in ("stages", "corpora"):
        if not getattr(recipe, key):
            raise RecipeError(f"{where}: there are no {key}")
    for stage in recipe.stages:
        _stage(recipe, stage)
    _together(recipe)
    _strategies(recipe)


def _stage(recipe: Recipe, stage: Stage) -> None:
    where, columns = recipe.path, recipe.columns
    for key, least in (("updates", 1), ("batch", 1), ("every", 1), ("warmup", 0), ("limit", 0)):
        found = getattr(stage, key)
        if found < least:
            raise RecipeError(f"{where}: stages: {key} is {found}, not {least} or more")
    if stage.updates % stage.every:
        raise RecipeError(
            f"{where}: stages: updates ({stage.updates}) is no multiple of every ({stage.every}): "
            "the last ones would have no checkpoint"
        )
    fits = {"translation": len(columns) == 2, "classification": "label" in columns[1:]}
    if not fits.get(stage.task, True):
        raise RecipeError(
            f"{where}: columns are {', '.join(columns)}; translation has two, classification has a "
            "text and 'label'"
        )


def _together(recipe: Recipe) -> None:
    """What one stage must know of the others."""
    where, stages = recipe.path, recipe.stages
    total = sum(stage.updates for stage in stages)
    if total % stages[-1].every:  # without masking the last stage has all of them
        raise RecipeError(
            f"{where}: stages: the updates of all, {total}, are no multiple of every of the last "
            f"one ({stages[-1].every})"
        )
    read = ["text" if stage.task in TEXT_TASKS else stage.task for stage in stages]
    if len(set(read)) < len(read):
        raise RecipeError(f"{where}: stages: two of them read the same kind of rows")


def _strategies(recipe: Recipe) -> None:
    """Strategies and patterns are made once, so that wrong ones are found before any training."""
    try:
        told = "model: encoder_attention"
        if recipe.model.encoder_attention:
            pattern(recipe.model.encoder_attention)
        for name, options in recipe.strategies.items():
            told = f"strategies: {name}"
            rest = {k: v for k, v in options.items() if k not in ("name", "attention")}
            make_strategy(options.get("name", "none"), **rest)
            if options.get("attention"):
                pattern(options["attention"])
    except MaskplugError as error:
        raise RecipeError(f"{recipe.path}: {told}: {error}") from None
