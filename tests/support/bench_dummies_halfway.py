"""One comparison, then an error."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.comparison import Comparison


def comparisons(small: bool) -> Iterator[Comparison]:
    yield Comparison("first", "numpy", 10, lambda: None, lambda: None)
    raise ValueError("no second")
