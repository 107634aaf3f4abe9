"""Every part, in its small form, from the command line to the file and the table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks.parts import PARTS, Measurement, Peer
from benchmarks.run import main
from benchmarks.tables import tables


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    import torch

    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)  # some measurements take one


def small(name: str, out: Path) -> tuple[str, dict[str, Any]]:
    result = CliRunner().invoke(
        main, ["--small", "--only", name, "--rounds", "1", "--out", str(out)]
    )
    assert result.exit_code == 0, result.output
    path = out / "results.json"
    return result.output, json.loads(path.read_text("utf-8")) if path.exists() else {}


@pytest.mark.filterwarnings("ignore")  # those of the peers are not ours
@pytest.mark.parametrize("part", PARTS, ids=lambda p: p.name)
def test_the_small_form_runs(part: Peer | Measurement, tmp_path: Path) -> None:
    printed, found = small(part.name, tmp_path)
    if part.missing:
        assert "not installed: skipped" in printed
        return
    name = "comparisons" if isinstance(part, Peer) else part.name
    section = found[name]
    assert section
    if isinstance(part, Peer):
        assert {row["part"] for row in section} == {part.name}
        assert len({(row["peer"], row["what"]) for row in section}) == len(section)
        assert all(row["ratio"] > 0 for row in section)
    for made in tables(name, section):
        assert made.rows
        assert all(len(row) == len(made.head) for row in made.rows)


def test_names_are_words_of_the_command_line() -> None:
    names = [part.name for part in PARTS]
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").isalpha() and name.islower() for name in names)
