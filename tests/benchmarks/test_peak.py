"""Peak memory of one call, in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import peak
from support import bench_dummies

MIB = 1 << 20
linux = pytest.mark.skipif(not peak.FORGET.exists(), reason="Linux only")


@linux
def test_each_call_counts_what_it_takes_and_not_what_others_took() -> None:
    found = peak.peaks("bench_dummies:bytes_of", [[64 * MIB], [8 * MIB], [0], [8 * MIB]])
    assert found == pytest.approx([64, 8, 0, 8], abs=1.0)


@linux
def test_a_side_is_addressed_by_module_and_number() -> None:
    found = [peak.peak("benchmarks.peak:side", "bench_dummies", 0, name, True)
             for name in ("ours", "theirs")]  # fmt: skip
    assert found == pytest.approx([bench_dummies.OURS / MIB, bench_dummies.THEIRS / MIB], abs=1.0)


@linux
def test_a_process_that_fails_is_quoted() -> None:
    with pytest.raises(RuntimeError, match=r"bench_dummies:nothing was not(.|\n)*AttributeError"):
        peak.peak("bench_dummies:nothing")


def test_elsewhere_there_is_no_figure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(peak, "FORGET", tmp_path / "absent")
    assert peak.peak("bench_dummies:bytes_of", 1) is None
