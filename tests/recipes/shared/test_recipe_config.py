"""Configuration files: shipped ones load, and errors name the key and the value."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from recipes.shared import config
from recipes.shared.config import load
from recipes.shared.errors import RecipeError
from recipes.shared.settings import FRAMEWORKS, RECIPES, Recipe
from support.recipe_cases import TOML, put

Loaded = Callable[..., Recipe]


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    """Return a function that loads a recipe after replacing a text in it."""

    def load_changed(old: str = "", new: str = "", sample: bool = False) -> Recipe:
        assert old in TOML
        path = put(tmp_path / "mine.toml", TOML.replace(old, new, 1) if old else TOML)
        return load(str(path), sample)

    return load_changed


@pytest.mark.parametrize("sample", [False, True])
@pytest.mark.parametrize("name", config.names())
def test_every_shipped_recipe_loads(name: str, sample: bool) -> None:
    recipe = load(name, sample)
    assert recipe.name == recipe.argument == name == recipe.folder.name
    assert recipe.sample is sample
    assert {"none", "static", "dynamic"} <= set(recipe.strategies)
    for split in ("train", "valid", "test"):
        assert (recipe.folder / recipe.data / f"{recipe.corpora[0]}.{split}.tsv.gz").exists()


def test_the_shipped_recipes_are_listed() -> None:
    names = ["classification", "pretrained_translation", "simultaneous", "summarization"]
    assert config.names() == [*names, "translation"]


def test_user_recipe_is_loaded_by_its_path(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = loaded()
    assert recipe.name == "mine"
    assert recipe.argument == str(tmp_path / "mine.toml")
    assert recipe.folder == tmp_path
    assert (recipe.pieces, recipe.stages[0].updates, recipe.frameworks) == (60, 20, FRAMEWORKS)
    assert recipe.stages[0].learning_rate == 0.001
    monkeypatch.chdir(tmp_path)
    assert load("mine.toml") == recipe
    assert load(str(RECIPES / "translation" / "config.toml")) == load("translation")


def test_sample_settings_apply_to_all_stages(loaded: Loaded) -> None:
    second = '[[stages]]\ntask = "denoising"\nupdates = 40\nbatch = 8\nlearning_rate = 1\nevery = 5'
    recipe = loaded("[strategies]", f"{second}\n\n[strategies]", sample=True)
    assert recipe.pieces == 50
    assert [(s.updates, s.batch, s.every) for s in recipe.stages] == [(10, 4, 10), (10, 8, 5)]


def test_sample_settings_are_merged_into_tables(loaded: Loaded) -> None:
    text = "[generation]\nbeam = 3\ndelays = [1, 2]\n\n[sample]\ngeneration = { delays = [5] }"
    recipe = loaded("[sample]", text, sample=True)
    assert (recipe.generation.beam, recipe.generation.delays) == (3, (5,))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("pieces = 60", "peices = 60", "unknown key 'peices'; did you mean 'pieces'? Choices: "),
        ('"marian"', '"marian"\nlayer = 2', "model: unknown key 'layer'; did you mean 'layers'?"),
        ("batch = 4", "batch = 4\nrate = 1", "stages: unknown key 'rate'. Choices: batch, "),
        ('title = "Mine"', "", "'title' is missing"),
        ('family = "marian"', "", "model: 'family' is missing"),
        ("updates = 20", "", "stages: 'updates' is missing"),
        ("pieces = 60", 'pieces = "60"', "pieces is '60'; it must be of type int"),
        ("pieces = 60", "pieces = 60.5", "pieces is 60.5; it must be of type int"),
        ("pieces = 60", "pieces = true", "pieces is True; it must be of type int"),
        ("= 0.001", '= "0.001"', "stages: learning_rate is '0.001'; it must be of type float"),
        ("= 0.001", "= true", "stages: learning_rate is True; it must be of type float"),
        ("every = 10", "every = 10\nmasked = 1", "stages: masked is 1; it must be of type bool"),
        ('"bleu"', "3", "metric is 3; it must be of type str"),
        ('["source", "target"]', '"source"', "columns is 'source'; it must be a list"),
        ('["source", "target"]', "[1, 2]", "columns is 1; it must be of type str"),
        ('"marian"', '"marain"', "model: family is 'marain'; did you mean 'marian'? Choices: "),
        ('"translation"', '"translate"',
         "stages: task is 'translate'; did you mean 'translation'?"),
        ('"bleu"', '"bleu"\nframeworks = ["jax"]', "frameworks is 'jax'. Choices: fairseq, hugg"),
        ("[model]", '[rows]\nbad = "stop"\n[model]', "rows: bad is 'stop'. Choices: refuse, skip"),
        ("[model]", '[rows]\nlong = "cut"\n[model]', "rows: long is 'cut'. Choices: skip, trunc"),
        ("[model]", "[rows]\nmax_length = 511\n[model]",
         "rows: max_length is 511; it must be 1 to 510"),
        ("[model]", "[rows]\nmax_length = 0\n[model]",
         "rows: max_length is 0; it must be 1 to 510"),
        ("every = 10", "every = 15", "stages: updates is 20; it must be a multiple of every (15)"),
        ("every = 10", "every = 0", "stages: every is 0; it must be at least 1"),
        ("every = 10", "every = -10", "stages: every is -10; it must be at least 1"),
        ("updates = 20", "updates = 0", "stages: updates is 0; it must be at least 1"),
        ("batch = 4", "batch = 0", "stages: batch is 0; it must be at least 1"),
        ("every = 10", 'every = 10\ncolumns = ["sorce"]',
         "stages: columns is 'sorce'; did you mean"),
        ('"source", ', "",
         "columns are target; translation needs two columns, classification a text"),
        ('"translation"', '"classification"', "columns are source, target; translation needs two"),
        ('["first"]', "[]", "corpora is empty"),
        ('"dynamic", r', '"dinamic", r',
         "strategies: dynamic: unknown strategy 'dinamic'; did you"),
        ("rate = 0.2", "rate = 2",
         "strategies: dynamic: strategy 'dynamic@1': option 'rate' is 2.0"),
        ("rate = 0.2", "rte = 2", "strategies: dynamic: strategy 'dynamic@1' has no option 'rte'"),
        ('name = "dynamic"', "name = 3", "strategies: dynamic: "),
        ("none = {}", 'none = { attention = "wait_q:k=1" }', "strategies: none: "),
        ("none = {}", 'none = { attention = "wait_k:q=1" }', "strategies: none: "),
        ('"marian"', '"marian"\nencoder_attention = "casual"', "model: encoder_attention: "),
        ("none = {}", "none = 3", "strategies: none is 3; it must be a table"),
        ("[model]", "[mod]", "unknown key 'mod'; did you mean 'model'?"),
    ],
)  # fmt: skip
def test_errors_name_key_value_and_choices(
    loaded: Loaded, old: str, new: str, message: str
) -> None:
    with pytest.raises(RecipeError, match=re.escape(f"mine.toml: {message}")):
        loaded(old, new)


def section(start: str, end: str) -> str:
    """Return the sections from one heading up to another one."""
    return TOML[TOML.index(start) : TOML.index(end)]


@pytest.mark.parametrize("sample", [False, True])
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (section("[[stages]]", "[strategies]"), "", "'stages' is missing"),
        (section("[[stages]]", "[strategies]"), "stages = []\n", "stages is empty"),
        (section("[[stages]]", "[strategies]"), "stages = 3\n", "stages is 3; it must be a list"),
        (section("[[stages]]", "[strategies]"), "stages = [3]\n",
         "stages is 3; it must be a table"),
        (section("[model]", "[[stages]]"), "model = 3\n", "model is 3; it must be a table"),
        (section("[strategies]", "[sample]"), "strategies = 3\n", "strategies"),
    ],
    ids=["no stages", "none", "number", "numbers", "model", "strategies"],
)  # fmt: skip
def test_missing_and_invalid_tables_are_errors(
    loaded: Loaded, old: str, new: str, message: str, sample: bool
) -> None:
    with pytest.raises(RecipeError, match=re.escape(f"mine.toml: {message}")):
        loaded(TOML, new + TOML.replace(old, ""), sample)


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ("[[sample.stages]]\nupdates = 10",
         "sample: stages is [{'updates': 10}]; it must be a table"),
        ("sample = 3", "sample is 3; it must be a table"),
        ("[sample]\npeices = 3", "unknown key 'peices'; did you mean 'pieces'?"),
        ("[sample]\nstages = { updats = 3 }", "stages: unknown key 'updats'; did you mean"),
        ("[sample]\nmodel = 3", "model is 3; it must be a table"),
    ],
)  # fmt: skip
def test_errors_in_the_sample_settings_are_named(loaded: Loaded, new: str, message: str) -> None:
    settings = TOML[: TOML.index("[sample]")]
    text = f"{new}\n{settings}" if new.startswith("sample") else settings + new
    with pytest.raises(RecipeError, match=re.escape(f"mine.toml: {message}")):
        loaded(TOML, text, sample=True)


@pytest.mark.parametrize("name", ["translaton", "no/such/folder", "", "../recipes", "nowhere.toml"])
def test_an_unknown_recipe_gets_a_suggestion(name: str) -> None:
    with pytest.raises(
        RecipeError, match=rf"no recipe '{name}'.* Choices: classification, "
    ) as error:
        load(name)
    assert ("did you mean 'translation'?" in error.value.message) == (name == "translaton")


@pytest.mark.parametrize(
    ("data", "message"), [(b"title = ", "Invalid value"), (b'title = "\xff"', "can't decode")]
)
def test_invalid_toml_is_an_error(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(RecipeError, match=rf"config\.toml: .*{message}"):
        load(str(put(tmp_path / "config.toml", data)))
