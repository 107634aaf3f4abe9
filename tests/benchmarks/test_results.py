"""What of a file of results stays, and what is replaced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.results import Results

PARTS = ("peer", "one", "two")
NOW, BEFORE = {"numpy": "2"}, {"numpy": "1"}


def row(what: str, ratio: float = 1.0) -> dict[str, Any]:
    return {"what": what, "peer": "numpy", "ratio": ratio}


def begun(folder: Path, machine: dict[str, Any] = NOW) -> Results:
    return Results.begun(folder / "results.json", machine, PARTS)


def read(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "results.json").read_text("utf-8"))
    return found


def test_it_is_written_after_every_row(tmp_path: Path) -> None:
    results = begun(tmp_path)
    for what in "ab":
        results.row("peer", row(what))
        assert read(tmp_path)["comparisons"][-1] == {"part": "peer", **row(what)}


def test_a_row_takes_the_place_of_the_same_one(tmp_path: Path) -> None:
    for ratio in (1.0, 2.0):
        results = begun(tmp_path)
        results.row("peer", row("a", ratio))
        results.row("peer", row("b"))
    assert [(r["what"], r["ratio"]) for r in read(tmp_path)["comparisons"]] == [("a", 2), ("b", 1)]


def test_a_part_that_went_through_has_its_own_rows_in_its_order(tmp_path: Path) -> None:
    results = begun(tmp_path)
    results.row("peer", row("gone"))
    results.row("one", row("a"))
    for what in "cab":
        results.row("peer", row(what))
    assert len(read(tmp_path)["comparisons"]) == 5
    results.finished("peer", [row("a"), row("b"), row("c")])
    assert [(r["part"], r["what"]) for r in read(tmp_path)["comparisons"]] == [
        ("peer", "a"),
        ("peer", "b"),
        ("peer", "c"),
        ("one", "a"),
    ]


def test_what_was_measured_elsewhere_says_where(tmp_path: Path) -> None:
    results = begun(tmp_path, BEFORE)
    results.section("one", {"x": 1})
    results.section("two", {"x": 1})
    results.row("peer", row("a"))
    results = begun(tmp_path, NOW)
    results.section("two", {"x": 2})
    assert read(tmp_path)["machine"] == NOW
    assert read(tmp_path)["elsewhere"] == {"peer": BEFORE, "one": BEFORE}
    begun(tmp_path, BEFORE).section("one", {"x": 3})
    assert read(tmp_path)["elsewhere"] == {"peer": BEFORE, "two": NOW}


def test_sections_of_no_part_are_dropped(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps({"machine": NOW, "former": {"x": 1}}))
    begun(tmp_path).section("one", {"x": 1})
    assert "former" not in read(tmp_path)


def test_without_a_path_nothing_is_written() -> None:
    results = Results.begun(None, NOW, PARTS)
    results.section("one", {"x": 1})
    assert results.figures["one"] == {"x": 1}
