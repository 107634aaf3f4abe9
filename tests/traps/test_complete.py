"""docs/traps.md and the tests list the same traps."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "traps.md"


def test_page_and_tests_list_the_same_traps() -> None:
    rows = re.findall(r"^\| (\d+) \|", PAGE.read_text(encoding="utf-8"), re.M)
    sources = "".join(path.read_text(encoding="utf-8") for path in HERE.glob("test_*.py"))
    tests = re.findall(r"^def test_trap_(\d\d)_", sources, re.M)
    assert {int(row) for row in rows} == {int(test) for test in tests}
    assert len(set(rows)) == len(rows) == 23
