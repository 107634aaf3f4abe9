"""Programs of a step, parallel runs, and what the terminal shows of them."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from recipes.shared import config, grid, results, steps
from recipes.shared.cli import main
from recipes.shared.errors import RecipeError
from recipes.shared.plan import Run
from recipes.shared.running import Stopwatch, lines_of
from recipes.shared.screen import moving, show_summary
from recipes.shared.workspace import Workspace, write
from support.recipe_cases import RECIPE, TOML, entry, put, run, workspace

# --- programs ------------------------------------------------------------------------------------


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_lines_are_yielded_and_appended_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "new" / "log"
    threads = "import os; print('one'); print(os.environ['OMP_NUM_THREADS'])"
    assert list(lines_of(python(threads), log, 3)) == ["one\n", "3\n"]
    assert list(lines_of(python("print('three', end='')"), log, 1)) == ["three"]
    assert log.read_text() == "one\n3\nthree"


def test_a_failure_quotes_the_last_lines(tmp_path: Path) -> None:
    code = "import sys; [print('line', i) for i in range(30)]; sys.exit('out of paper')"
    log = tmp_path / "log"
    with pytest.raises(RecipeError, match=r"^python\S* failed; see .*/log\n") as error:
        list(lines_of(python(code), log, 1))
    lines = error.value.message.splitlines()
    assert str(log) in lines[0]
    assert sorted(lines[1:]) == sorted([*(f"line {i}" for i in range(16, 30)), "out of paper"])


def test_an_interrupted_step_ends_its_program(tmp_path: Path) -> None:
    begun = time.monotonic()
    code = "import os, time; print(os.getpid()); time.sleep(60)"
    lines = lines_of(python(code), tmp_path / "log", 1)
    number = int(next(lines))  # yielded as soon as it is printed
    assert (tmp_path / "log").read_text() == f"{number}\n"
    os.kill(number, 0)
    with pytest.raises(KeyboardInterrupt):
        lines.throw(KeyboardInterrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)
    assert time.monotonic() - begun < 30


def compute(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_seconds_include_those_before_interruptions(tmp_path: Path) -> None:
    path = tmp_path / "seconds.json"
    for done in (0.1, 0.2):
        watch = Stopwatch(path)
        compute(0.1)
        assert watch.seconds == pytest.approx(done, abs=0.09)
        assert watch.seconds >= done - 0.05
        watch.keep()
        assert float(path.read_text()) == pytest.approx(watch.seconds, abs=0.1)


def test_seconds_count_children_but_not_waiting(tmp_path: Path) -> None:
    watch = Stopwatch(tmp_path / "seconds.json")
    time.sleep(0.3)
    assert watch.seconds < 0.2
    busy = "import time\nwhile time.process_time() < 0.25: pass"
    list(lines_of(python(busy), tmp_path / "log", 1))
    assert watch.seconds >= 0.19


# --- parallel runs -------------------------------------------------------------------------------

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

    def compare(self, fakes: Commands, jobs: int = 2) -> None:
        def commands(each: Run, path: Path) -> list[list[str]]:
            assert path == self.results
            start = [sys.executable, "-S", "-E", "-c", STEP, str(self.log)]
            return [[*start, name, str(seconds), str(code)] for name, seconds, code in fakes(each)]

        self.patch.setattr(grid, "_commands", commands)
        grid.compare(self.runs, self.results, jobs)

    def lines(self) -> list[list[str]]:
        return [line.split() for line in self.log.read_text().splitlines()]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Grid:
    return Grid(tmp_path, monkeypatch)


def two(each: Run) -> list[tuple[str, float, int]]:
    name = f"{each.framework}-{each.strategy}-{each.seed}"
    return [(f"{name}-train", 0.02, 0), (f"{name}-score", 0.02, 0)]


@pytest.mark.parametrize("jobs", [1, 3])
def test_no_more_steps_run_at_once_than_jobs(
    fake: Grid, jobs: int, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.compare(two, jobs)
    lines = fake.lines()
    begun = [name for what, name, _ in lines if what == "begin"]
    expected = [name for each in fake.runs for name, _, _ in two(each)]
    assert begun == expected if jobs == 1 else sorted(begun) == sorted(expected)
    running = np.cumsum([1 if what == "begin" else -1 for what, _, _ in lines])
    assert running.max() <= jobs
    for each in fake.runs:
        names = [name for name, _, _ in two(each)]
        steps_of = [(what, name) for what, name, _ in lines if name in names]
        assert steps_of == [(what, name) for name in names for what in ("begin", "end")]
        assert (each.folder / "steps.log").read_text().count("the end of") == 2
    shown = capsys.readouterr().out
    assert "✓ huggingface dynamic 1" in shown
    assert "4 runs" in shown


def test_runs_with_results_are_skipped(fake: Grid) -> None:
    def add(each: Run, fingerprint: str) -> None:
        identity = {"framework": each.framework, "strategy": each.strategy, "seed": each.seed}
        results.add(fake.results, entry(**identity, fingerprint=fingerprint))

    *done, other, new = fake.runs
    for each in done:
        add(each, each.fingerprint)
    add(other, "of other settings")
    fake.compare(two)
    begun = {name for what, name, _ in fake.lines() if what == "begin"}
    assert begun == {name for each in (other, new) for name, _, _ in two(each)}
    for each in (other, new):
        add(each, each.fingerprint)
    fake.log.unlink()
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

    put(fake.runs[0].folder / "steps.log", "".join(f"before {i}\n" for i in range(50)))
    with pytest.raises(RecipeError, match=r"fairseq-none-1: failed; see .*steps\.log") as error:
        fake.compare(fakes, jobs=3)
    lines = error.value.message.splitlines()
    assert len(lines) == 16  # only the end of the log
    assert lines[-1] == "the end of bad"
    names = [name for what, name, _ in fake.lines() if what == "begin"]
    assert sorted(names) == ["bad", "long", "long"]  # not the waiting runs
    assert all(ended(int(number)) for _, name, number in fake.lines() if name == "long")


def test_an_interruption_stops_all_runs(fake: Grid) -> None:
    def interrupt(_: float) -> None:
        time.sleep(0.05)
        if fake.log.exists() and len(fake.lines()) == 2:
            raise KeyboardInterrupt

    fake.patch.setattr(grid, "time", SimpleNamespace(sleep=interrupt))
    with pytest.raises(KeyboardInterrupt):
        fake.compare(lambda _: [("long", 60, 0)])
    assert all(ended(int(number)) for _, _, number in fake.lines())


@pytest.mark.parametrize(
    ("corpus", "sample", "out"),
    [
        ("first", False, "elsewhere"),
        ("first", False, "runs/mine/first"),
        ("other", False, "runs/mine/other"),
        ("sample", True, "runs/mine/sample"),
    ],
)
def test_commands_of_a_run_select_the_same_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, corpus: str, sample: bool, out: str
) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = config.load(str(put(tmp_path / "mine.toml", TOML)), sample)
    work = workspace(Path(out), recipe=recipe, corpus=corpus)
    expected = run(work, recipe, framework="huggingface", seed=3)
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(steps, "train", lambda *args: calls.append(args[:2]))
    monkeypatch.setattr(steps, "evaluate", lambda *args: calls.append(args[:3]) or {"bleu": 1.0})
    monkeypatch.setattr(steps, "record", lambda *args: calls.append(args))
    commands = grid._commands(expected, tmp_path / "new.json")
    assert ["python", *commands[0][1:]] == shlex.split(steps.command(expected))
    for command in commands:
        assert command[:3] == [sys.executable, "-m", "recipes"]
        done = CliRunner().invoke(main, command[3:], catch_exceptions=False)
        assert done.exit_code == 0, done.output
    assert calls == [
        (expected, 1), (expected, "test", 1), (expected, {"bleu": 1.0}, tmp_path / "new.json")
    ]  # fmt: skip
    assert expected.recipe.sample is sample


def test_commands_use_the_name_of_a_shipped_recipe(tmp_path: Path) -> None:
    recipe = config.load("translation")
    expected = Run(recipe, workspace(tmp_path), "fairseq", "dynamic", 1)
    assert grid._commands(expected, tmp_path)[0][3:5] == ["train", "translation"]


# --- the terminal --------------------------------------------------------------------------------

HEAD = "file\tline\twhy\tdetail\n"


@pytest.fixture
def work(tmp_path: Path) -> Workspace:
    work = workspace(tmp_path / "work")
    facts = work.facts() | {
        "summary": {
            "train": {"used": 12345, "truncated": 6, "too long": 1234},
            "test": {"used": 7, "truncated": 0, "empty": 2, "not UTF-8": 1},
        }
    }
    write(work.prepared, json.dumps(facts))
    put(work.truncated, HEAD + "b.tsv\t3\ttruncated\tsource: 9 pieces, at most 8\n")
    return work


def test_the_summary_shows_counts_and_the_first_bad_rows(
    work: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [f"a.tsv\t{n}\tunknown label\t'[/b] [red]x'" for n in range(5)]
    put(work.skipped, HEAD + "".join(f"{line}\n" for line in lines))
    show_summary(work, "prepared")
    shown = capsys.readouterr().out
    cells = [
        [cell.strip() for cell in line.replace("┃", "│").strip("│").split("│")]
        for line in shown.splitlines()
        if "│" in line or "┃" in line
    ]
    assert cells == [
        ["split", "rows used", "truncated", "empty", "not UTF-8", "too long"],
        ["train", "12,345", "6", "0", "0", "1,234"],
        ["test", "7", "0", "2", "1", "0"],
    ]
    assert [line for line in shown.splitlines() if line.startswith("skipped")] == [
        f"skipped a.tsv, line {n}: unknown label '[/b] [red]x'" for n in range(3)
    ]
    assert f"all skipped rows: {work.skipped}" in shown
    assert "truncated b.tsv, line 3: truncated source: 9 pieces, at most 8\n" in shown
    assert f"all truncated rows: {work.truncated}" in shown
    assert f"files are in {work.root}" in shown


def test_the_summary_without_bad_rows_lists_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = workspace(tmp_path / "[red]work")
    put(work.skipped, HEAD)
    put(work.truncated, HEAD)
    show_summary(work, "prepared already")
    shown = capsys.readouterr().out
    assert "skipped" not in shown
    assert "all skipped rows" not in shown
    assert f"files are in {work.root}" in shown


def test_each_step_prints_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with moving("reading") as step:
        tell = step("training")
        tell(1, 4, "loss 3.00")
        tell(4, 4, "loss 2.00")
        step("scoring")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines if line.strip()] == [
        ["✓", "reading"], ["✓", "training"], ["✓", "scoring"]
    ]  # fmt: skip


def test_the_line_of_a_failed_step_stays(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with moving() as step:
            step("training")(1, 0, "")
            raise ValueError("no training")

    with pytest.raises(ValueError, match="no training"):
        fail()
    assert "training" in capsys.readouterr().out
