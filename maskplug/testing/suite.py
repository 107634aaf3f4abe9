"""The test that the runner executes for every subject and check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def test_conformance(subject: Any, check: Callable[[Any], None]) -> None:
    """Run one check on one subject."""
    check(subject)
