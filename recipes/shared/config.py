"""Load a recipe from its configuration file."""

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
    """Return the names of the shipped recipes."""
    return sorted(path.parent.name for path in RECIPES.glob("*/config.toml"))


def load(name: str, sample: bool = False) -> Recipe:
    """Return a recipe.

    Args:
        name: one of ``names()``, or a path that ends in ``.toml``.
        sample: let the settings of the section ``sample`` replace the others.

    Raises:
        RecipeError: if there is no such recipe or its file is invalid.
    """
    path = Path(name).resolve() if name.endswith(".toml") else RECIPES / name / "config.toml"
    if not path.exists():
        raise RecipeError(f"no recipe {name!r}{did_you_mean(name, names())}; or a path to a .toml")
    try:
        settings = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: {error}") from None
    small = settings.pop("sample", {})
    if sample:
        settings = _merged(settings, small, str(path))
    name = path.parent.name if path.parent.parent == RECIPES else path.stem
    origin = {"name": name, "path": path, "sample": sample}
    recipe: Recipe = _build(Recipe, settings | origin, str(path))
    check(recipe)
    return recipe


def _merged(settings: dict[str, Any], small: Any, where: str) -> dict[str, Any]:
    """Replace settings by those of the sample; its ``stages`` apply to every stage."""
    merged = dict(settings)
    for name, value in _table(small, f"{where}: sample").items():
        former = settings.get(name)
        if name == "stages":
            more = _table(value, f"{where}: sample: stages")
            if isinstance(former, list):
                merged[name] = [s | more if isinstance(s, dict) else s for s in former]
        elif isinstance(value, dict) and isinstance(former, dict):
            merged[name] = former | value
        else:
            merged[name] = value
    return merged


def _table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RecipeError(f"{where} is {value!r}; it must be a table")
    return value


def _build(kind: Any, table: Any, where: str) -> Any:
    """Build a dataclass; raise an error that names an unknown, missing or mistyped key."""
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
        inner, items = get_args(hint)[1], _table(value, where).items()
        return {key: _value(inner, each, f"{where}: {key}") for key, each in items}
    if hint is Any:
        return value
    if hint is float and type(value) is int:
        return float(value)
    if not isinstance(value, hint) or (hint is not bool and isinstance(value, bool)):
        raise RecipeError(f"{where} is {value!r}; it must be of type {hint.__name__}")
    return value
