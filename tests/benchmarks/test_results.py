"""Results are kept by part, and become tables, pages and pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from benchmarks import plots, report
from benchmarks.report import MARKED, RESULTS, cell, main, markdown, rewritten, tables

ROOT = Path(__file__).parents[2]
PAGES = [p for p in sorted((ROOT / "docs").glob("*.md")) if MARKED.search(p.read_text("utf-8"))]
NEW, OLD = [{"what": "numpy", "value": "2"}], [{"what": "numpy", "value": "1"}]
Store = Callable[..., dict[str, Any]]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Return a function that stores rows of a part, and returns what the file then contains."""
    path = tmp_path / "new" / "results.json"

    def stored(
        part: str, rows: Sequence[Any] = (), machine: Any = NEW, parts: str = "a b c"
    ) -> dict[str, Any]:
        monkeypatch.setattr(report, "machine", lambda: machine)
        report.store(report.load(path, parts.split()), part, list(rows), path)
        return json.loads(path.read_text("utf-8"))  # type: ignore[no-any-return]

    return stored


def test_a_part_replaces_its_own_rows_only(store: Store) -> None:
    first, second, third = ([{"what": "x", "value": i}] for i in range(3))
    store("a", first)
    store("b", second)
    assert store("a", third) == {"machine": NEW, "elsewhere": {}, "a": third, "b": second}


def test_results_of_another_machine_are_marked(store: Store) -> None:
    for part in "abc":
        store(part, machine=OLD)
    values = store("b", machine=NEW)
    assert (values["machine"], values["elsewhere"]) == (NEW, {"a": OLD, "c": OLD})
    assert store("a", machine=OLD)["elsewhere"] == {"b": NEW, "c": OLD}


def test_rows_of_unknown_parts_are_dropped(store: Store) -> None:
    assert "a" in store("a")
    assert "a" not in store("b", parts="b c")


def test_machine_names_the_versions() -> None:
    names = {row["what"] for row in report.machine()}
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
        [("a", "b", "c"), ("x", "1", ""), ("y", "", "2")],
        [("d", "e"), ("z", "–")],
    ]


def test_markdown_escapes_bars() -> None:
    assert markdown([("a", "b"), ("x | y", "1")]) == (
        "| a | b |\n| --- | ---: |\n| x \\| y | 1 |\n"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_pages_show_the_stored_results(page: Path) -> None:
    text, values = page.read_text("utf-8"), json.loads(RESULTS.read_text("utf-8"))
    assert rewritten(text, values) == text, f"run python -m benchmarks.report docs/{page.name}"


def test_report_rewrites_only_the_text_between_the_marks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, values = tmp_path / "page.md", tmp_path / "results.json"
    monkeypatch.setattr(report, "RESULTS", values)
    page.write_text("before\n<!-- table: epochs stages -->\nold\n<!-- end -->\nafter\n", "utf-8")
    rows = {"epochs": [{"what": "a", "x": 1}], "stages": [{"what": "b", "x": 2}]}
    values.write_text(json.dumps(rows), "utf-8")
    done = CliRunner().invoke(main, [str(page)])
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
    compared = [{**row, "ratio": 3.0, "goal": 5.0}, {**row, "ratio": 0.5, "goal": None}]
    grown = [
        {"strategy": "dynamic", "curves": {"rows": curve, "rate": curve}},
        {"strategy": "ul2", "curves": {"rows": curve}},
    ]
    first, again = (plots.draw(compared, grown, tmp_path / name) for name in "ab")
    assert [path.name for path in first] == ["speed.svg", "growth.svg"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    assert not plots.draw([], [], tmp_path / "c")
