"""Progress lines and the summary of rows in the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recipes.shared.screen import moving, show_summary
from recipes.shared.workspace import Workspace, write
from support.recipe_cases import put, workspace

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
