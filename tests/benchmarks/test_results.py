"""Results are kept by part, and become tables, pages and pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from benchmarks import plots, results
from benchmarks.report import MARKED, main, markdown, rewritten
from benchmarks.results import RESULTS, Table, cell, load, store, tables

ROOT = Path(__file__).parents[2]
PAGES = [p for p in sorted((ROOT / "docs").glob("*.md")) if MARKED.search(p.read_text("utf-8"))]
NOW, BEFORE = [{"what": "numpy", "value": "2"}], [{"what": "numpy", "value": "1"}]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(results, "machine", lambda: NOW)
    return tmp_path / "new" / "results.json"


def written(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return values


def test_a_part_replaces_its_own_rows_only(path: Path) -> None:
    store(load(path), "stages", [{"what": "a", "x": 1}], path)
    store(load(path), "growth", [{"what": "b", "x": 2}], path)
    store(load(path), "stages", [{"what": "c", "x": 3}], path)
    assert written(path) == {
        "machine": NOW,
        "elsewhere": {},
        "stages": [{"what": "c", "x": 3}],
        "growth": [{"what": "b", "x": 2}],
    }


def test_results_of_another_machine_are_marked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "machine", lambda: BEFORE)
    for part in ("stages", "growth", "loading"):
        store(load(path), part, [], path)
    monkeypatch.setattr(results, "machine", lambda: NOW)
    store(load(path), "growth", [], path)
    assert written(path)["machine"] == NOW
    assert written(path)["elsewhere"] == {"stages": BEFORE, "loading": BEFORE}
    monkeypatch.setattr(results, "machine", lambda: BEFORE)
    store(load(path), "stages", [], path)
    assert written(path)["elsewhere"] == {"growth": NOW, "loading": BEFORE}


def test_rows_of_unknown_parts_are_dropped(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(json.dumps({"machine": NOW, "former": []}))
    assert load(path) == {"machine": NOW, "elsewhere": {}}


def test_machine_names_the_versions() -> None:
    names = {row["what"] for row in results.machine()}
    assert {"python", "cores", "processor", "system", "maskplug", "numpy"} <= names


@pytest.mark.parametrize(
    ("value", "column", "text"),
    [
        (None, "", "–"),
        (18_044_575.5, "", "18.0 M"),
        (1_153_068.9, "", "1.15 M"),
        (3_200_000_000, "", "3,200 M"),
        (732_123.4, "", "732,123"),
        (12.345, "", "12.3"),
        (0, "", "0"),
        (2048, "", "2,048"),
        (0.1234, "share of a copy", "12.3 %"),
        (12.34, "share, %", "12.3"),
        ([1.0, 2.5], "", "1, 2.5"),
        ("text", "share", "text"),
    ],
)
def test_cells_have_three_digits(value: Any, column: str, text: str) -> None:
    assert cell(value, column) == text


def test_each_first_column_starts_a_table() -> None:
    rows = [{"a": "x", "b": 1}, {"a": "y", "c": 2, "curves": {"hidden": 1}}, {"d": "z", "e": None}]
    assert tables(rows) == [
        Table(("a", "b", "c"), [("x", "1", ""), ("y", "", "2")]),
        Table(("d", "e"), [("z", "–")]),
    ]


def test_markdown_escapes_bars() -> None:
    assert markdown(Table(("a", "b"), [("x | y", "1")])) == (
        "| a | b |\n| --- | ---: |\n| x \\| y | 1 |\n"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_pages_show_the_stored_results(page: Path) -> None:
    text, values = page.read_text("utf-8"), json.loads(RESULTS.read_text("utf-8"))
    assert rewritten(text, values) == text, f"run python -m benchmarks.report docs/{page.name}"


def test_report_rewrites_only_the_text_between_the_marks(tmp_path: Path) -> None:
    page, values = tmp_path / "page.md", tmp_path / "results.json"
    page.write_text("before\n<!-- table: epochs stages -->\nold\n<!-- end -->\nafter\n", "utf-8")
    rows = {"epochs": [{"what": "a", "x": 1}], "stages": [{"what": "b", "x": 2}]}
    values.write_text(json.dumps(rows), "utf-8")
    done = CliRunner().invoke(main, [str(page), "--results", str(values)])
    assert done.exit_code == 0, done.output
    table = "| what | x |\n| --- | ---: |\n| a | 1 |\n| b | 2 |\n"
    assert page.read_text("utf-8") == (
        f"before\n<!-- table: epochs stages -->\n{table}<!-- end -->\nafter\n"
    )


def test_report_names_a_missing_part() -> None:
    with pytest.raises(click.ClickException, match="no results of 'growth', only machine"):
        rewritten("<!-- table: growth -->\n<!-- end -->", {"machine": []})
    with pytest.raises(click.ClickException, match="the page has no"):
        rewritten("nothing", {})


def test_the_same_results_draw_the_same_bytes(tmp_path: Path) -> None:
    curve = {"sizes": [1, 10, 100], "ms": [1.0, 5.0, 40.0], "MiB": [0.0, 1.0, 9.0]}
    row = {"peer": "p", "work": "w", "middle half of ratios": [2.0, 4.0]}
    values = {
        "fairseq": [{**row, "ratio": 3.0, "goal": 5.0}, {**row, "ratio": 0.5, "goal": None}],
        "growth": [
            {"strategy": "dynamic", "curves": {"rows": curve, "rate": curve}},
            {"strategy": "ul2", "curves": {"rows": curve}},
        ],
    }
    first, again = (plots.draw(values, tmp_path / name) for name in "ab")
    assert [path.name for path in first] == ["speed.svg", "growth.svg"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    assert not plots.draw({}, tmp_path / "c")
