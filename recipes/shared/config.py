"""A recipe's one configuration file, ``config.toml``, as frozen dataclasses."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from maskplug.attention import pattern
from maskplug.errors import MaskplugError, did_you_mean
from maskplug.strategy import strategy as make_strategy
from recipes.shared.errors import RecipeError

RECIPES = Path(__file__).parents[1]
TASKS = ("translation", "denoising", "masked_lm", "classification")
#: Those that read text alone.
TEXT_TASKS = ("denoising", "masked_lm")
FAMILIES = ("marian", "bart", "bert")
FRAMEWORKS = ("fairseq", "huggingface")


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
    def folder(self) -> Path:
        """Where the configuration file lies, and the sample, the results and the curves."""
        return self.path.parent


def names() -> list[str]:
    """The recipes that come with the project."""
    return sorted(path.parent.name for path in RECIPES.glob("*/config.toml"))


def load(name: str, sample: bool = False) -> Recipe:
    """A recipe by its name, or by the path of a configuration file.

    Args:
        name: one of ``names()``, or a path that ends in ``.toml``.
        sample: take the settings of the section ``sample`` in place of the others.

    Raises:
        RecipeError: when there is no such recipe, or its file is wrong.
    """
    path = Path(name).resolve() if name.endswith(".toml") else RECIPES / name / "config.toml"
    if not path.exists():
        raise RecipeError(f"no recipe {name!r}{did_you_mean(name, names())}; or a path to a .toml")
    try:
        said = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: {error}") from None
    small = said.pop("sample", {})
    if sample:
        said = _merged(said, small, str(path))
    named = path.parent.name if path.parent.parent == RECIPES else path.stem
    given = {"name": named, "path": path, "sample": sample}
    recipe: Recipe = _build(Recipe, said | given, str(path))
    _check(recipe)
    return recipe


def _merged(said: dict[str, Any], small: Any, where: str) -> dict[str, Any]:
    """The sample's settings over the others; what it says of ``stages`` holds for all of them."""
    made = dict(said)
    for name, value in _table(small, f"{where}: sample").items():
        there = said.get(name)
        if name == "stages":
            more = _table(value, f"{where}: sample: stages")
            if isinstance(there, list):
                made[name] = [each | more if isinstance(each, dict) else each for each in there]
        elif isinstance(value, dict) and isinstance(there, dict):
            made[name] = there | value
        else:
            made[name] = value
    return made


def _table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RecipeError(f"{where} is {value!r}; it must be a table")
    return value


def _build(kind: Any, table: Any, where: str) -> Any:
    """A dataclass from a table; unknown, missing and mistyped keys are errors that name them."""
    hints, known = get_type_hints(kind), {each.name: each for each in fields(kind)}
    for key in _table(table, where):
        if key not in known:
            raise RecipeError(f"{where}: unknown key {key!r}{did_you_mean(key, known)}")
    for name, each in known.items():
        needed = each.default is MISSING and each.default_factory is MISSING
        if needed and name not in table:
            raise RecipeError(f"{where}: {name!r} is missing")
    return kind(**{key: _value(hints[key], table[key], f"{where}: {key}") for key in table})


def _value(hint: Any, value: Any, where: str) -> Any:
    if hasattr(hint, "__dataclass_fields__"):
        return _build(hint, value, where)
    if get_origin(hint) is tuple:
        if not isinstance(value, list | tuple):
            raise RecipeError(f"{where} is {value!r}; it must be a list")
        return tuple(_value(get_args(hint)[0], each, where) for each in value)
    if get_origin(hint) is Mapping:
        inner, there = get_args(hint)[1], _table(value, where)
        return {key: _value(inner, each, f"{where}: {key}") for key, each in there.items()}
    if hint is Any:
        return value
    if hint is float and type(value) is int:
        return float(value)
    if not isinstance(value, hint) or (hint is not bool and isinstance(value, bool)):
        raise RecipeError(f"{where} is {value!r}; it must be of type {hint.__name__}")
    return value


def _check(recipe: Recipe) -> None:
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
        _check_stage(recipe, stage)
    _check_together(recipe)
    _check_strategies(recipe)


def _check_stage(recipe: Recipe, stage: Stage) -> None:
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


def _check_together(recipe: Recipe) -> None:
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


def _check_strategies(recipe: Recipe) -> None:
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
