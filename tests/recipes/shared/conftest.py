"""Settings of the recipe tests: offline, quiet, a wide console."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import pytest
from rich.console import Console

from recipes.shared import demo, masks, report, screen


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a console that is independent of the terminal."""
    wide = Console(highlight=False, soft_wrap=True, width=300)
    for module in (demo, masks, report, screen):
        monkeypatch.setattr(module, "console", wide)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            for library in ("hydra", "torch", "fairseq"):  # deprecation warnings
                item.add_marker(pytest.mark.filterwarnings(f"ignore:::{library}"))
