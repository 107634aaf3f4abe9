"""Many runs: as many at a time as asked for, none twice, and none left behind."""

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

#: A step that writes down when it begins and ends, and its number; -3 seconds wait for three lines.
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

    def told(self) -> list[list[str]]:
        return [line.split() for line in self.log.read_text().splitlines()]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Grid:
    return Grid(tmp_path, monkeypatch)


def two(each: Run) -> list[tuple[str, float, int]]:
    name = f"{each.framework}-{each.strategy}-{each.seed}"
    return [(f"{name}-train", 0.02, 0), (f"{name}-score", 0.02, 0)]


@pytest.mark.parametrize("jobs", [1, 3])
def test_all_steps_of_all_runs_are_made_some_at_a_time(
    fake: Grid, jobs: int, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.compare(two, jobs)
    told = fake.told()
    begun = [name for what, name, _ in told if what == "begin"]
    wanted = [name for each in fake.runs for name, _, _ in two(each)]
    assert begun == wanted if jobs == 1 else sorted(begun) == sorted(wanted)
    going = most = 0
    for what, _, _ in told:
        going += 1 if what == "begin" else -1
        most = max(most, going)
    assert most <= jobs
    for each in fake.runs:
        steps_of = [(what, name) for what, name, _ in told if name in {n for n, _, _ in two(each)}]
        assert steps_of == [(w, name) for name, _, _ in two(each) for w in ("begin", "end")]
        assert (each.folder / "steps.log").read_text().count("the end of") == 2
    shown = capsys.readouterr().out
    assert "✓ huggingface dynamic 1" in shown
    assert "4 runs" in shown


def test_what_is_in_the_results_is_not_repeated(fake: Grid) -> None:
    for each in fake.runs[:3]:
        said = {"framework": each.framework, "strategy": each.strategy, "seed": each.seed}
        same = each.fingerprint if each is not fake.runs[2] else "of other settings"
        results.add(fake.results, entry(**said, fingerprint=same))
    fake.compare(two)
    begun = {name for what, name, _ in fake.told() if what == "begin"}
    left = fake.runs[2:]
    assert begun == {name for each in left for name, _, _ in two(each)}


def test_where_nothing_is_left_nothing_is_begun(fake: Grid) -> None:
    for each in fake.runs:
        said = {"framework": each.framework, "strategy": each.strategy, "seed": each.seed}
        results.add(fake.results, entry(**said, fingerprint=each.fingerprint))
    fake.compare(two)
    assert not fake.log.exists()


def ended(number: int) -> bool:
    """Whether a process is gone, or waits for nothing but to be counted."""
    for _ in range(500):
        try:
            if Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def test_a_failure_is_told_and_stops_the_others(fake: Grid) -> None:
    def fakes(each: Run) -> list[tuple[str, float, int]]:
        return [("bad", -3, 3), ("never", 0, 0)] if each is fake.runs[0] else [("long", 60, 0)]

    with pytest.raises(RecipeError, match=r"fairseq-none-1: failed; see .*steps\.log") as told:
        fake.compare(fakes, jobs=3)
    assert told.value.message.splitlines()[-1] == "the end of bad"
    names = [name for what, name, _ in fake.told() if what == "begin"]
    assert sorted(names) == ["bad", "long", "long"]  # and none of those that were waiting
    assert all(ended(int(number)) for _, name, number in fake.told() if name == "long")


def test_the_log_of_a_failure_is_cut(fake: Grid) -> None:
    put(fake.runs[0].folder / "steps.log", "".join(f"before {i}\n" for i in range(50)))
    with pytest.raises(RecipeError) as told:
        fake.compare(lambda _: [("bad", 0, 1)], runs=fake.runs[:1])
    assert len(told.value.message.splitlines()) == 16


def test_an_interruption_stops_all(fake: Grid) -> None:
    def interrupt(_: float) -> None:
        time.sleep(0.05)
        if fake.log.exists() and len(fake.told()) == 2:
            raise KeyboardInterrupt

    fake.patch.setattr(grid, "time", SimpleNamespace(sleep=interrupt))
    with pytest.raises(KeyboardInterrupt):
        fake.compare(lambda _: [("long", 60, 0)])
    assert all(ended(int(number)) for _, _, number in fake.told())


@pytest.mark.parametrize("sample", [False, True])
def test_the_command_line_makes_the_same_run_of_its_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: bool
) -> None:
    path = put(tmp_path / "mine.toml", TOML)
    recipe = config.load(str(path), sample)
    wanted = run(
        workspace(tmp_path / "work", recipe=recipe), recipe, framework="huggingface", seed=3
    )
    heard: list[tuple[Any, ...]] = []
    monkeypatch.setattr(steps, "train", lambda *args: heard.append(args[:2]))
    monkeypatch.setattr(steps, "evaluate", lambda *args: heard.append(args[:3]) or {"bleu": 1.0})
    monkeypatch.setattr(steps, "record", lambda *args: heard.append(args))
    for command in grid._commands(wanted, tmp_path / "there.json"):
        assert command[:3] == [sys.executable, "-m", "recipes"]
        done = CliRunner().invoke(main, command[3:], catch_exceptions=False)
        assert done.exit_code == 0, done.output
    assert heard == [
        (wanted, 1), (wanted, "test", 1), (wanted, {"bleu": 1.0}, tmp_path / "there.json")
    ]  # fmt: skip
    assert wanted.recipe.sample is sample


def test_a_shipped_recipe_is_asked_for_by_its_name(tmp_path: Path) -> None:
    recipe = config.load("translation")
    wanted = Run(recipe, workspace(tmp_path), "fairseq", "dynamic", 1)
    assert grid._commands(wanted, tmp_path)[0][3:5] == ["train", "translation"]
