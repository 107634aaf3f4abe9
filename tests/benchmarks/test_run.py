"""``python -m benchmarks.run``: what it writes, prints and survives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from benchmarks import run
from benchmarks.parts import PARTS
from support import bench_dummies as dummies


def ran(
    monkeypatch: pytest.MonkeyPatch, out: Path | None, *parts: Any, small: bool = True
) -> Result:
    monkeypatch.setattr(run, "PARTS", parts)
    arguments = [
        "--rounds",
        "3",
        *(["--small"] if small else []),
        *(["--out", str(out)] if out else []),
    ]
    return CliRunner().invoke(run.main, arguments)


def written(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "results.json").read_text("utf-8"))
    return found


def test_results_have_machine_rows_and_sections(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    result = ran(monkeypatch, tmp_path, dummies.PEER, dummies.SECTION)
    assert result.exit_code == 0, result.output
    found = written(tmp_path)
    assert list(found) == ["machine", "elsewhere", "comparisons", "section"]
    assert {"python", "cores", "processor", "system", "maskplug", "numpy"} <= set(found["machine"])
    first, second = found["comparisons"]
    assert list(first) == [
        "part", "what", "peer", "maskplug, tokens/s", "peer, tokens/s", "ratio",
        "middle half of ratios", "goal", "maskplug, MiB", "peer, MiB",
    ]  # fmt: skip
    assert (first["part"], first["what"], first["goal"]) == ("peer", "bytes", 2.0)
    assert (second["what"], second["goal"]) == ("nothing", None)
    low, high = first["middle half of ratios"]
    assert low <= first["ratio"] <= high
    assert found["section"] == {"side": {"tokens/s": 1.0}}
    assert (tmp_path / "speed.svg").read_text().startswith("<?xml")


def test_peak_memory_of_both_sides_is_in_the_rows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert ran(monkeypatch, tmp_path, dummies.PEER, small=False).exit_code == 0
    row = written(tmp_path)["comparisons"][0]
    assert row["maskplug, MiB"] == pytest.approx(dummies.OURS / 2**20, abs=1.0)
    assert row["peer, MiB"] == pytest.approx(dummies.THEIRS / 2**20, abs=1.0)


def test_the_small_form_writes_nothing_of_its_own_accord(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(run, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(run, "IMAGES", tmp_path)
    assert ran(monkeypatch, None, dummies.SECTION).exit_code == 0
    assert not list(tmp_path.iterdir())
    assert ran(monkeypatch, None, dummies.SECTION, small=False).exit_code == 0
    assert written(tmp_path)["section"] == {"side": {"tokens/s": 2.0}}


def test_what_is_not_installed_is_skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    result = ran(monkeypatch, tmp_path, dummies.ABSENT, dummies.SECTION)
    assert result.exit_code == 0, result.output
    assert "no-such-distribution not installed: skipped" in result.output
    assert "Traceback" not in result.output
    assert "absent" not in written(tmp_path)


def test_a_part_that_fails_leaves_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    result = ran(monkeypatch, tmp_path, dummies.BROKEN, dummies.HALFWAY, dummies.SECTION)
    assert result.exit_code == 1
    assert "failed: broken: ValueError: no figures" in result.output
    assert "failed: halfway: ValueError: no second" in result.output
    found = written(tmp_path)
    assert [row["what"] for row in found["comparisons"]] == ["first"]
    assert "section" in found


def test_parts_that_do_not_run_keep_their_results(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ran(monkeypatch, tmp_path, dummies.PEER, dummies.SECTION)
    before = written(tmp_path)
    monkeypatch.setattr(dummies, "measure", lambda small: {"side": {"tokens/s": 5.0}})
    monkeypatch.setattr(run, "PARTS", (dummies.PEER, dummies.SECTION))
    option = run.main.params[0]
    monkeypatch.setattr(option.type, "choices", ["peer", "section"])
    result = CliRunner().invoke(run.main, ["--small", "--only", "section", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert written(tmp_path) == {**before, "section": {"side": {"tokens/s": 5.0}}}


def test_an_unknown_part_is_told_the_names() -> None:
    result = CliRunner().invoke(run.main, ["--only", "nonsense"])
    assert result.exit_code == 2
    assert "'nonsense' is not one of" in result.output
    assert all(f"'{part.name}'" in result.output for part in PARTS)
