"""A recipe by its name or the path of its file, ``config.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from maskplug.errors import did_you_mean
from recipes.shared.checks import check
from recipes.shared.errors import RecipeError
from recipes.shared.settings import RECIPES, Recipe


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
    check(recipe)
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
