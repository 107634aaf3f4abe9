"""Run every recipe on its sample with the command of its README, from rows to scores.

``test_recipe_resume.py`` checks the same steps on a tiny recipe in the fast tests.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from recipes.shared import config, results

ROOT = Path(__file__).parents[2]
NAMES = config.names()


def recipes(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "recipes", *arguments]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=900
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_sample_goes_through_all_steps(name: str, tmp_path: Path) -> None:
    done = recipes("demo", name, "--out", str(tmp_path))
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


def test_a_wrong_strategy_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    done = recipes("demo", "--strategy", "spam", "--out", str(tmp_path / "run"))
    assert done.returncode == 1
    assert "strategy 'spam' of translation" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()
