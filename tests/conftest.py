"""Settings of all tests: hypothesis, and whether the run includes the slow tests."""

from __future__ import annotations

import pytest
from hypothesis import settings

from support import scale


def pytest_configure(config: pytest.Config) -> None:
    """Draw full numbers of scenes and examples unless the slow tests are deselected."""
    scale.includes_slow = "not slow" not in config.option.markexpr
    # The same inputs in every run, and no deadline: the first call of a kernel compiles it.
    settings.register_profile(
        "maskplug", deadline=None, derandomize=True, max_examples=scale.scenes(10, 20)
    )
    settings.load_profile("maskplug")
