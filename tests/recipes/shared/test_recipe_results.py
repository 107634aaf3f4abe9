"""results.json has one entry per run, also with concurrent writers."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from recipes.shared import results
from support.recipe_cases import RECIPE, ROOT, entry, run, workspace


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "results.json"


def test_a_missing_file_has_no_entries(path: Path) -> None:
    assert results.read(path) == []


def test_an_entry_replaces_that_of_the_same_run(path: Path) -> None:
    results.add(path, entry(seed=1))
    results.add(path, entry(seed=2))
    results.add(path, entry(seed=1, metrics={"bleu": 11.0}, fingerprint="1" * 16))
    assert [(each["seed"], each["metrics"]["bleu"]) for each in results.read(path)] == [
        (1, 11.0), (2, 10.0)
    ]  # fmt: skip


@pytest.mark.parametrize("name", results.IDENTITY)
def test_entries_of_other_runs_are_kept(path: Path, name: str) -> None:
    other = entry(**{name: 7 if name == "seed" else "zz"})
    for actual in (other, entry(), other):
        results.add(path, actual)
    assert results.read(path) == [entry(), other]


def test_entries_are_sorted_one_per_line(path: Path) -> None:
    actual = [entry(strategy=name, seed=seed) for name, seed in product("cab", (3, 1, 2))]
    for each in actual:
        results.add(path, each)
    lines = path.read_text("utf-8").splitlines()
    assert (lines[0], lines[-1]) == ('{"runs": [', "]}")
    entries = [json.loads(line.removesuffix(",")) for line in lines[1:-1]]
    assert entries == results.read(path)
    assert [(each["strategy"], each["seed"]) for each in entries] == sorted(
        product("abc", (1, 2, 3))
    )


WRITER = """
import sys
from pathlib import Path
from support.recipe_cases import entry
from recipes.shared import results
print("ready", flush=True)
sys.stdin.readline()
for seed in range(40):
    results.add(Path(sys.argv[1]), entry(strategy=sys.argv[2], seed=seed))
"""


def test_concurrent_processes_lose_no_entries(path: Path) -> None:
    import_from = f"import sys; sys.path[:0] = {[str(ROOT / 'tests'), str(ROOT)]!r}\n"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", import_from + WRITER, str(path), name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in "ab"
    ]  # fmt: skip
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=120)
        assert writer.returncode == 0
    actual = [(each["strategy"], each["seed"]) for each in results.read(path)]
    assert actual == list(product("ab", range(40)))
    assert {each.name for each in path.parent.iterdir()} <= {"results.json", ".results.json.lock"}


@pytest.mark.parametrize(
    ("changes", "there"),
    [
        ({}, True),
        ({"fingerprint": "0" * 16}, False),
        ({"seed": 2}, False),
        ({"strategy": "none"}, False),
        ({"framework": "huggingface"}, False),
        ({"corpus": "second"}, False),
        ({"recipe": "translation"}, False),
    ],
)
def test_a_run_is_done_only_with_equal_settings(
    path: Path, tmp_path: Path, changes: dict[str, Any], there: bool
) -> None:
    expected = run(workspace(tmp_path / "work"))
    assert not results.done(path, expected)
    results.add(path, entry(fingerprint=expected.fingerprint) | changes)
    assert results.done(path, expected) is there
    assert not results.done(path, run(expected.work, replace(RECIPE, pieces=7)))


def test_versions_list_the_installed_packages() -> None:
    actual = results.versions()
    assert actual["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"maskplug", "torch", "transformers", "numpy"} <= set(actual) <= {
        "python", *results.PACKAGES
    }  # fmt: skip
