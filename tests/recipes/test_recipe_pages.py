"""Pages of recipes: valid commands that run, and tables and curves that match the results."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from recipes.shared import config, report, results
from recipes.shared.cli import main
from recipes.shared.settings import RECIPES

PAGES = [RECIPES / "README.md", *sorted(RECIPES.glob("*/README.md"))]
COMMAND = re.compile(r"^\$ python -m recipes ((?:[^\n]*\\\n)*[^\n#]*)", re.M)


def commands(path: Path) -> list[list[str]]:
    text = path.read_text("utf-8")
    return [shlex.split(text.replace("\\\n", " ")) for text in COMMAND.findall(text)]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.parent.name)
def test_documented_commands_are_valid(path: Path) -> None:
    for name, *arguments in commands(path):
        with main.commands[name].make_context(name, arguments) as context:
            recipe = context.params.get("recipe", "translation")
            if not recipe.endswith(".toml"):
                actual = config.load(recipe)
                assert context.params.get("strategy", "none") in actual.strategies
                assert context.params.get("framework", "fairseq") in actual.frameworks


@pytest.mark.parametrize("name", config.names())
def test_every_recipe_page_has_all_commands(name: str) -> None:
    steps = [words[0] for words in commands(RECIPES / name / "README.md")]
    assert steps == ["demo", "prepare", "train", "evaluate", "compare"]


@pytest.mark.parametrize("name", config.names())
def test_page_tables_match_the_results(name: str) -> None:
    recipe = config.load(name)
    assert f"\n{report.details(recipe)}\n" in (recipe.folder / "README.md").read_text("utf-8")


def test_overview_table_matches_the_results() -> None:
    assert f"\n{report.overview()}\n" in (RECIPES / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", config.names())
def test_results_match_the_shipped_settings(name: str) -> None:
    recipe = config.load(name)
    updates = sum(stage.updates for stage in recipe.stages)
    for entry in results.read(recipe.folder / report.RESULTS):
        assert entry["recipe"] == name
        assert entry["corpus"] in recipe.corpora
        assert entry["framework"] in recipe.frameworks
        assert entry["strategy"] in recipe.strategies
        assert entry["updates"] == updates
        assert 0 <= entry["metrics"][recipe.metric] <= 100
        assert {"command", "versions", "seconds", "curves", "fingerprint"} <= entry.keys()


@pytest.mark.parametrize("name", config.names())
def test_recipes_with_results_have_curves(name: str) -> None:
    folder = config.load(name).folder
    if results.read(folder / report.RESULTS):
        assert (folder / report.CURVES).read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow  # the whole sample; test_recipe_resume checks the same steps on a tiny recipe
@pytest.mark.parametrize("name", config.names())
def test_sample_goes_through_all_steps(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "recipes", "demo", name, "--out", str(tmp_path)],
        cwd=RECIPES.parent,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    recipe = config.load(name, sample=True)
    entries = results.read(tmp_path / "results.json")
    assert [entry["framework"] for entry in entries] == list(recipe.frameworks)
    for entry in entries:
        assert 0 <= entry["metrics"][recipe.metric] <= 100
        assert entry["updates"] == sum(stage.updates for stage in recipe.stages)
        assert [*entry["curves"]] == [stage.task for stage in recipe.stages]
        assert entry["seconds"] > 0
        assert entry["command"].startswith(f"python -m recipes train {name} --sample")
    if len(recipe.frameworks) > 1:
        same = re.search(r"([\d,]+) of ([\d,]+) masked rows", done.stdout)
        assert same is not None
        assert same[1] == same[2]
    summary = json.loads((tmp_path / "prepared.json").read_text())["summary"]
    assert f"{summary['train']['used']:,}" in done.stdout
