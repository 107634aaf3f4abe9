"""Tables in Markdown, and the pages that show them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from benchmarks.report import MARKED, main, markdown, rewritten
from benchmarks.results import RESULTS
from benchmarks.tables import SLOWEST, Table, figure, tables

ROOT = Path(__file__).parents[2]
PAGES = [p for p in sorted((ROOT / "docs").glob("*.md")) if MARKED.search(p.read_text("utf-8"))]
ROW = {
    "part": "peer", "what": "masked LM", "peer": "theirs", "maskplug, tokens/s": 2.5e7,
    "peer, tokens/s": 1e6, "ratio": 25.0, "middle half of ratios": [24.0, 26.4], "goal": 20.0,
    "maskplug, MiB": 1.25, "peer, MiB": None,
}  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_pages_show_the_results_that_are_kept(page: Path) -> None:
    text, results = page.read_text("utf-8"), json.loads(RESULTS.read_text("utf-8"))
    assert rewritten(text, results) == text, f"run python -m benchmarks.report docs/{page.name}"


@pytest.mark.parametrize(
    ("value", "column", "said"),
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
        (True, "share", "True"),
    ],
)
def test_figures_have_three_digits(value: Any, column: str, said: str) -> None:
    assert figure(value, column) == said


@pytest.mark.parametrize(("goal", "said"), [(20.0, "20× ✓"), (30.0, "30× ✗"), (None, "–")])
def test_a_comparison_says_whether_its_goal_is_reached(goal: float | None, said: str) -> None:
    [made] = tables("comparisons", [{**ROW, "goal": goal}])
    [row] = made.rows
    assert row == ("theirs", "masked LM", "25.0 M", "1.00 M", "25× (24–26.4)", said, "1.25, –")


def test_slopes_of_strategies_that_lack_an_axis_are_left_out() -> None:
    both = {"slope of time": 1.0, "slope of memory": 0.984}
    [made] = tables(
        "growth", {"rows": {"t5": both, "ul2": both}, "rate": {"t5": {"slope of time": 1}}}
    )
    assert made.head == (
        "strategy", "time by rows", "memory by rows", "time by rate", "memory by rate"
    )  # fmt: skip
    assert made.rows == [("t5", "1.00", "0.98", "1.00", "–"), ("ul2", "1.00", "0.98", "–", "–")]


@pytest.mark.parametrize(
    ("section", "head", "rows"),
    [
        ({"cores": 2, "system": "x"}, ("what", "figure"), [("cores", "2"), ("system", "x")]),
        (
            {"a": {"b": {"x": 1, "y": 2}, "c": {"y": 3}}},
            ("what", "x", "y"),
            [("a, b", "1", "2"), ("a, c", "", "3")],
        ),
        ({"list": [{"x": "a"}, {"x": "b", "y": 1}]}, ("x", "y"), [("a", ""), ("b", "1")]),
        ({"x": 1, "a": {"x": 2}}, ("what", "x"), [("", "1"), ("a", "2")]),
    ],
)
def test_sections_of_any_form_are_tables(
    section: dict[str, Any], head: tuple[str, ...], rows: list[tuple[str, ...]]
) -> None:
    assert tables("any", section) == [Table(head, rows)]


def test_start_up_is_told_in_three_tables() -> None:
    kernels = {f"kernel {i}": 1.0 for i in range(SLOWEST + 3)}
    batches, rest, compiled = tables(
        "start-up",
        {
            "dynamic": {"cold, s": 3.0, "warm, s": 0.5},
            "import": {"s": 0.1},
            "workers": {"fork, s": 0.2},
            "compiling, s": kernels,
        },
    )
    assert batches == Table(("first batch", "cold, s", "warm, s"), [("dynamic", "3", "0.5")])
    assert rest == Table(("what", "figure"), [("import, s", "0.1"), ("workers, fork, s", "0.2")])
    assert compiled.head == ("kernel, to compile", "figure")
    assert len(compiled.rows) == SLOWEST + 1
    assert compiled.rows[-1] == ("3 more, together", "3")


def test_bars_in_cells_are_no_columns() -> None:
    assert markdown(Table(("a", "b"), [("x | y", "1")])) == (
        "| a | b |\n| --- | ---: |\n| x \\| y | 1 |\n"
    )


def test_only_what_is_between_the_marks_is_rewritten(tmp_path: Path) -> None:
    page, results = tmp_path / "page.md", tmp_path / "results.json"
    page.write_text("before\n<!-- table: epochs -->\nold\n<!-- end -->\nafter\n", "utf-8")
    results.write_text(json.dumps({"epochs": {"cores": 2}}), "utf-8")
    done = CliRunner().invoke(main, [str(page), "--results", str(results)])
    assert done.exit_code == 0, done.output
    inside = "| what | figure |\n| --- | ---: |\n| cores | 2 |\n"
    assert page.read_text("utf-8") == (
        f"before\n<!-- table: epochs -->\n{inside}<!-- end -->\nafter\n"
    )


def test_a_section_that_is_not_there_is_named() -> None:
    with pytest.raises(click.ClickException, match="no section 'growth'; they have machine"):
        rewritten("<!-- table: growth -->\n<!-- end -->", {"machine": {}})
    with pytest.raises(click.ClickException, match="in this page"):
        rewritten("nothing", {})
