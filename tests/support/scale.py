"""How many random scenes a test draws: few in ``make test``, many in ``make test-all``."""

from __future__ import annotations

#: Whether the run includes the slow tests; ``tests/conftest.py`` sets it before collection.
includes_slow = True


def scenes(small: int = 20, full: int = 200) -> int:
    """Return the number of random scenes to draw: ``full`` in runs that include slow tests."""
    return full if includes_slow else small
