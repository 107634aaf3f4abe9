"""The command line: output, exit codes, and errors without a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from recipes.shared import binarize, config, grid, report, steps
from recipes.shared.cli import main
from recipes.shared.plan import Run
from recipes.shared.workspace import Workspace
from support.recipe_cases import ROOT, TOML, pairs, put, workspace

STEPS = ("train", "evaluate", "compare", "masks")
Words = Callable[..., list[str]]


def recipes(*arguments: object) -> Result:
    environment = {"COLUMNS": "200"}
    done = CliRunner().invoke(main, [str(each) for each in arguments], env=environment)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run outside the project and without fairseq-preprocess."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(binarize, "binarize", lambda *_: None)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """Return a user's recipe."""
    return put(tmp_path / "mine.toml", TOML.replace("pieces = 60", "pieces = 200"))


def files(folder: Path, kind: str = "columns") -> dict[str, list[str]]:
    """Return the options for files with all columns, or with one column each."""
    options: dict[str, list[str]] = {}
    for split, rows in {"train": pairs(99), "valid": pairs(5), "test": pairs(4)}.items():
        sides = ["\t".join(row) for row in rows], *zip(*rows, strict=True)
        expected = sides[:1] if kind == "whole" else sides[1:]
        paths = [put(folder / f"{split}.{i}", "\n".join(side)) for i, side in enumerate(expected)]
        options[split] = [word for path in paths for word in (f"--{split}", str(path))]
    return options


def test_list_shows_recipes_with_their_frameworks() -> None:
    output = recipes("list").output
    assert [line.split()[0] for line in output.splitlines()] == config.names()
    assert "simultaneous  Simultaneous translation (fairseq)" in output


@pytest.mark.parametrize("name", ["prepare", *STEPS, "demo", "report"])
def test_an_unknown_recipe_gets_a_suggestion(name: str) -> None:
    done = recipes(name, "translaton")
    assert done.exit_code == 1
    assert done.output.startswith("Error: no recipe 'translaton'; did you mean 'translation'?")


@pytest.mark.parametrize(
    "arguments",
    [
        "train",
        "prepare translation --smaple",
        "train translation --framework jax",
        "evaluate translation --split train",
        "compare translation --framework jax",
        "train translation --threads 0",
        "train translation --seed -1",
        "train translation --seed one",
        "compare translation --jobs 0",
        "compare translation --seeds 0",
        "masks translation --epochs 0",
        "tain translation",
    ],
)
def test_invalid_options_are_usage_errors(arguments: str) -> None:
    done = recipes(*arguments.split())
    assert done.exit_code == 2
    assert done.output.startswith("Usage: main")
    assert "Error: " in done.output


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize(
    ("options", "folder"),
    [
        ("", "runs/translation/translation.en-de"),
        ("--sample", "runs/translation/sample"),
        ("--corpus mine", "runs/translation/mine"),
        ("--out other", "other"),
    ],
)
def test_an_unprepared_folder_is_an_error_with_its_path(
    name: str, options: str, folder: str
) -> None:
    done = recipes(name, "translation", *options.split())
    assert done.exit_code == 1
    assert done.output == (
        f"Error: {folder} is not prepared; see python -m recipes prepare --help\n"
    )


SOURCES = "Error: choose one source of rows: --sample, --data FOLDER, --dataset"
TOGETHER = "is missing: --train, --valid and --test go together\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("", SOURCES),
        ("--corpus mine", SOURCES),
        ("--sample --data folder", SOURCES),
        ("--data folder --dataset name", SOURCES),
        ("--sample --train a --valid b --test c", SOURCES),
        ("--dataset name --test c", SOURCES),
        ("--valid a --test a", f"Error: --train {TOGETHER}"),
        ("--train a --test a", f"Error: --valid {TOGETHER}"),
        ("--train a --valid a", f"Error: --test {TOGETHER}"),
        ("--data nowhere", "Error: nowhere/translation.en-de.train.tsv.gz: no such file"),
        ("--data nowhere --corpus mine", "Error: nowhere/mine.train.tsv.gz: no such file"),
        ("--sample --corpus mine", "mine.train.tsv.gz: no such file"),
        ("--train a --valid b --test c", "Error: a: no such file"),
        ("--train a --train b --train c --valid d --test e", "Error: 3 files"),
        (
            "--dataset nowhere/at-all --columns de",
            "Error: --columns names 1 columns; the recipe needs 2: source, target",
        ),
    ],
)
def test_missing_and_unreadable_rows_are_errors(options: str, message: str) -> None:
    done = recipes("prepare", "translation", *options.split())
    assert done.exit_code == 1
    assert message in done.output
    assert not Path("runs").exists()


@pytest.mark.parametrize("kind", ["whole", "columns"])
def test_user_files_are_prepared_once(mine: Path, tmp_path: Path, kind: str) -> None:
    words = [word for options in files(tmp_path / "rows", kind).values() for word in options]
    done = recipes("prepare", mine, *words)
    assert done.exit_code == 0, done.output
    assert "prepared\n" in done.output
    assert "files are in runs/mine/own" in done.output
    work = Workspace(Path("runs/mine/own"))
    assert work.facts()["summary"]["valid"] == {"used": 5, "truncated": 0}
    assert work.corpus == "own"
    assert "prepared already\n" in recipes("prepare", mine, *words).output
    done = recipes("prepare", mine, *words, "--corpus", "other", "--out", "elsewhere")
    assert Workspace(Path("elsewhere")).corpus == "other"


def test_bad_rows_are_shown_or_refused(mine: Path, tmp_path: Path) -> None:
    options = files(tmp_path / "rows", "whole")
    words = [word for option in options.values() for word in option]
    bad = Path(options["train"][1])
    bad.write_bytes(bad.read_bytes() + b"\n[red]\n\na\t\xff\n")
    done = recipes("prepare", mine, *words)
    assert done.exit_code == 0, done.output
    assert f"skipped {bad}, line 100: columns 1, expected 2\n" in done.output
    mine.write_text(f'{mine.read_text()}\n[rows]\nbad = "refuse"\n')
    done = recipes("prepare", mine, *words)
    assert done.exit_code == 1
    assert f"{bad}, line 100: columns (1, expected 2)\n" in done.output


def test_a_dataset_in_a_folder_is_prepared(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    for split, count in (("train", 99), ("validation", 5), ("test", 4)):
        left, right = zip(*pairs(count), strict=True)
        rows = datasets.Dataset.from_dict({"en": left, "de": right})
        rows.to_parquet(tmp_path / "data" / f"{split}.parquet")
    words = ["--dataset", tmp_path / "data", "--columns", "en,de", "--corpus", "books"]
    done = recipes("prepare", mine, *words)
    assert done.exit_code == 0, done.output
    assert Workspace(Path("runs/mine/books")).lines("test", "source") == [
        " ".join(left.split()) for left, _ in pairs(4)
    ]


@pytest.fixture
def words_of(tmp_path: Path, mine: Path) -> Words:
    """Return a function for the arguments of a step of a prepared recipe."""
    workspace(tmp_path / "work", recipe=config.load(str(mine)))

    def words(step: str, *more: str) -> list[str]:
        return [step, str(mine), "--out", str(tmp_path / "work"), *more]

    return words


def test_a_folder_prepared_with_other_settings_is_refused(words_of: Words, mine: Path) -> None:
    mine.write_text(mine.read_text().replace("pieces = 200", "pieces = 70"))
    for step in STEPS:
        done = recipes(*words_of(step))
        assert done.exit_code == 1
        assert "work was prepared with other settings (pieces); prepare it again: " in done.output


def test_an_unknown_strategy_gets_a_suggestion(words_of: Words) -> None:
    for step in STEPS:
        done = recipes(*words_of(step, "--strategy", "dinamic"))
        assert done.exit_code == 1
        assert done.output.startswith(
            "Error: strategy 'dinamic' of mine; did you mean 'dynamic'? Choices: dynamic, none"
        )
    done = recipes("demo", "--strategy", "spam", "--out", "unwritten")
    assert done.exit_code == 1
    assert "strategy 'spam' of translation" in done.output
    assert not Path("unwritten").exists()


def test_evaluate_without_training_shows_the_command(words_of: Words, mine: Path) -> None:
    done = recipes(*words_of("evaluate", "--framework", "huggingface", "--seed", "3"))
    assert done.exit_code == 1
    assert "huggingface-dynamic-3 is not trained; run\n" in done.output
    assert f"python -m recipes train {mine} --out " in done.output
    assert "--framework huggingface --strategy dynamic --seed 3 --threads 1" in done.output


def test_steps_receive_the_selected_run(
    words_of: Words, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(steps, "train", lambda *args: calls.append(args[:2]))
    monkeypatch.setattr(steps, "evaluate", lambda *args: calls.append(args[:3]) or {"bleu": 12.5})
    monkeypatch.setattr(steps, "record", lambda *args: calls.append(args))
    done = recipes(*words_of("train", "--seed", "0", "--threads", "2", "--strategy", "none"))
    assert done.exit_code == 0, done.output
    assert f"trained; files are in {tmp_path}/work/runs/fairseq-none-0" in done.output
    done = recipes(*words_of("evaluate", "--split", "valid", "--threads", "1"))
    assert "valid: bleu 12.5" in done.output
    recipes(*words_of("evaluate", "--threads", "1"))
    (first, two), (second, split, one), (_, test, _), (_, metrics, path) = calls
    assert (first.strategy, first.seed, first.framework, two) == ("none", 0, "fairseq", 2)
    assert (second.strategy, second.seed, split, one, test) == ("dynamic", 1, "valid", 1, "test")
    assert (metrics, path) == ({"bleu": 12.5}, tmp_path / "work" / "results.json")  # test rows only


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ("", 3 * 2 * 2),
        ("--seeds 2", 2 * 2 * 2),
        ("--framework fairseq", 3 * 2),
        ("--framework fairseq --framework huggingface --seeds 1", 2 * 2),
        ("--strategy none --seeds 1", 2),
    ],
)
def test_compare_runs_the_selected_strategies_and_seeds(
    words_of: Words, monkeypatch: pytest.MonkeyPatch, options: str, count: int
) -> None:
    calls: list[tuple[list[Run], Path, int]] = []
    monkeypatch.setattr(grid, "compare", lambda *args: calls.append(args))
    monkeypatch.setattr(report, "show", lambda path: None)
    assert recipes(*words_of("compare", "--jobs", "5", *options.split())).exit_code == 0
    ((runs, path, jobs),) = calls
    assert len({(run.framework, run.strategy, run.seed) for run in runs}) == len(runs) == count
    assert (path.name, jobs) == ("results.json", 5)


def test_masks_of_an_unmasked_strategy_are_an_error(words_of: Words) -> None:
    done = recipes(*words_of("masks", "--strategy", "none"))
    assert done.exit_code == 1
    assert done.output == "Error: strategy 'none' of mine masks nothing\n"


START = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from maskplug.errors import OptionError
from recipes.shared import cli, running

def main():
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    if sys.argv[1] == "wrong":
        raise OptionError("rate is 2")
    for line in running.lines_of([sys.executable, "-c", code], Path(sys.argv[1]), 1):
        print(line, flush=True)

cli.main = main
cli.start()
"""


def test_library_errors_have_no_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-c", START, "wrong"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "Error: rate is 2\n")


def test_a_terminated_step_ends_its_program(tmp_path: Path) -> None:
    step = subprocess.Popen(
        [sys.executable, "-c", START, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True
    )
    assert step.stdout is not None
    number = int(step.stdout.readline())
    step.send_signal(signal.SIGTERM)
    step.communicate(timeout=60)
    assert step.returncode == 143
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)
