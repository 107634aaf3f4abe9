"""Parallel runs: limited, not repeated, and all stopped after a failure."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from recipes.shared import config, grid, results, steps
from recipes.shared.cli import main
from recipes.shared.errors import RecipeError
from recipes.shared.plan import Run
from support.recipe_cases import RECIPE, TOML, entry, put, run, workspace

#: A step that logs its begin, end and process id; -3 seconds means: wait for three lines.
STEP = """
import os, sys, time
from pathlib import Path
log, name, seconds, code = sys.argv[1:]
def tell(what):
    with open(log, "a") as file:
        file.write(f"{what} {name} {os.getpid()}\\n")
tell("begin")
while float(seconds) < 0 and len(Path(log).read_text().splitlines()) < -float(seconds):
    time.sleep(0.02)
time.sleep(max(0, float(seconds)))
print("the end of", name)
tell("end")
sys.exit(int(code))
"""
Commands = Callable[[Run], list[tuple[str, float, int]]]


class Grid:
    """Runs whose steps are fakes: (name, seconds, exit code)."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.work, self.log = workspace(folder / "work"), folder / "log"
        self.results, self.patch = folder / "results.json", monkeypatch
        self.runs = [
            Run(RECIPE, self.work, framework, strategy, seed=1)
            for framework in ("fairseq", "huggingface")
            for strategy in ("none", "dynamic")
        ]
        monkeypatch.setattr(grid, "time", SimpleNamespace(sleep=lambda _: time.sleep(0.01)))

    def compare(self, fakes: Commands, jobs: int = 2, runs: list[Run] | None = None) -> None:
        def commands(each: Run, path: Path) -> list[list[str]]:
            assert path == self.results
            return [
                [
                    sys.executable,
                    "-S",
                    "-E",
                    "-c",
                    STEP,
                    str(self.log),
                    name,
                    str(seconds),
                    str(code),
                ]
                for name, seconds, code in fakes(each)
            ]

        self.patch.setattr(grid, "_commands", commands)
        grid.compare(runs or self.runs, self.results, jobs)

    def lines(self) -> list[list[str]]:
        return [line.split() for line in self.log.read_text().splitlines()]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Grid:
    return Grid(tmp_path, monkeypatch)


def two(each: Run) -> list[tuple[str, float, int]]:
    name = f"{each.framework}-{each.strategy}-{each.seed}"
    return [(f"{name}-train", 0.02, 0), (f"{name}-score", 0.02, 0)]


@pytest.mark.parametrize("jobs", [1, 3])
def test_all_steps_run_with_at_most_the_given_jobs(
    fake: Grid, jobs: int, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.compare(two, jobs)
    lines = fake.lines()
    begun = [name for what, name, _ in lines if what == "begin"]
    expected = [name for each in fake.runs for name, _, _ in two(each)]
    assert begun == expected if jobs == 1 else sorted(begun) == sorted(expected)
    going = most = 0
    for what, _, _ in lines:
        going += 1 if what == "begin" else -1
        most = max(most, going)
    assert most <= jobs
    for each in fake.runs:
        steps_of = [(what, name) for what, name, _ in lines if name in {n for n, _, _ in two(each)}]
        assert steps_of == [(w, name) for name, _, _ in two(each) for w in ("begin", "end")]
        assert (each.folder / "steps.log").read_text().count("the end of") == 2
    shown = capsys.readouterr().out
    assert "✓ huggingface dynamic 1" in shown
    assert "4 runs" in shown


def test_runs_with_results_are_skipped(fake: Grid) -> None:
    for each in fake.runs[:3]:
        identity = {"framework": each.framework, "strategy": each.strategy, "seed": each.seed}
        same = each.fingerprint if each is not fake.runs[2] else "of other settings"
        results.add(fake.results, entry(**identity, fingerprint=same))
    fake.compare(two)
    begun = {name for what, name, _ in fake.lines() if what == "begin"}
    left = fake.runs[2:]
    assert begun == {name for each in left for name, _, _ in two(each)}


def test_nothing_starts_if_all_runs_have_results(fake: Grid) -> None:
    for each in fake.runs:
        identity = {"framework": each.framework, "strategy": each.strategy, "seed": each.seed}
        results.add(fake.results, entry(**identity, fingerprint=each.fingerprint))
    fake.compare(two)
    assert not fake.log.exists()


def ended(number: int) -> bool:
    """Return whether a process has ended or is a zombie."""
    for _ in range(500):
        try:
            if Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def test_a_failed_run_is_reported_and_stops_the_others(fake: Grid) -> None:
    def fakes(each: Run) -> list[tuple[str, float, int]]:
        return [("bad", -3, 3), ("never", 0, 0)] if each is fake.runs[0] else [("long", 60, 0)]

    with pytest.raises(RecipeError, match=r"fairseq-none-1: failed; see .*steps\.log") as error:
        fake.compare(fakes, jobs=3)
    assert error.value.message.splitlines()[-1] == "the end of bad"
    names = [name for what, name, _ in fake.lines() if what == "begin"]
    assert sorted(names) == ["bad", "long", "long"]  # not the waiting runs
    assert all(ended(int(number)) for _, name, number in fake.lines() if name == "long")


def test_only_the_end_of_a_failure_log_is_quoted(fake: Grid) -> None:
    put(fake.runs[0].folder / "steps.log", "".join(f"before {i}\n" for i in range(50)))
    with pytest.raises(RecipeError) as error:
        fake.compare(lambda _: [("bad", 0, 1)], runs=fake.runs[:1])
    assert len(error.value.message.splitlines()) == 16


def test_an_interruption_stops_all_runs(fake: Grid) -> None:
    def interrupt(_: float) -> None:
        time.sleep(0.05)
        if fake.log.exists() and len(fake.lines()) == 2:
            raise KeyboardInterrupt

    fake.patch.setattr(grid, "time", SimpleNamespace(sleep=interrupt))
    with pytest.raises(KeyboardInterrupt):
        fake.compare(lambda _: [("long", 60, 0)])
    assert all(ended(int(number)) for _, _, number in fake.lines())


@pytest.mark.parametrize("sample", [False, True])
def test_commands_of_a_run_give_the_same_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: bool
) -> None:
    path = put(tmp_path / "mine.toml", TOML)
    recipe = config.load(str(path), sample)
    expected = run(
        workspace(tmp_path / "work", recipe=recipe), recipe, framework="huggingface", seed=3
    )
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(steps, "train", lambda *args: calls.append(args[:2]))
    monkeypatch.setattr(steps, "evaluate", lambda *args: calls.append(args[:3]) or {"bleu": 1.0})
    monkeypatch.setattr(steps, "record", lambda *args: calls.append(args))
    for command in grid._commands(expected, tmp_path / "there.json"):
        assert command[:3] == [sys.executable, "-m", "recipes"]
        done = CliRunner().invoke(main, command[3:], catch_exceptions=False)
        assert done.exit_code == 0, done.output
    assert calls == [
        (expected, 1), (expected, "test", 1), (expected, {"bleu": 1.0}, tmp_path / "there.json")
    ]  # fmt: skip
    assert expected.recipe.sample is sample


def test_commands_use_the_name_of_a_shipped_recipe(tmp_path: Path) -> None:
    recipe = config.load("translation")
    expected = Run(recipe, workspace(tmp_path), "fairseq", "dynamic", 1)
    assert grid._commands(expected, tmp_path)[0][3:5] == ["train", "translation"]
