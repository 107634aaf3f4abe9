from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def maskplug(*arguments: str, cache: Path, **env: str) -> subprocess.CompletedProcess[str]:
    code = f"from maskplug.cli import main; main({list(arguments)})"
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache), "COLUMNS": "200", **env},
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kernels")


def test_a_pattern_is_compiled_and_kept(cache: Path) -> None:
    first = maskplug("compile", "causal", cache=cache)
    assert first.returncode == 0, first.stderr
    assert "intervals.tidy" in first.stdout
    count = int(first.stdout.split(" kernels compiled")[0].splitlines()[-1])
    assert count == len(list(cache.rglob("*.nbi"))) > 5
    again = maskplug("compile", "causal", cache=cache)
    assert again.stdout.startswith(f"0 kernels compiled in 0.0 s; {count} kept in")


def test_a_strategy_brings_what_adapters_need(cache: Path) -> None:
    done = maskplug("compile", "none", cache=cache)
    assert done.returncode == 0, done.stderr
    assert "pad.pad_into" in done.stdout
    assert "philox.content_keys" in done.stdout


def test_the_doctor_counts_kept_kernels(cache: Path) -> None:
    said = maskplug("doctor", cache=cache).stdout
    count = len(list(cache.rglob("*.nbi")))
    assert f"{count} of " in said
    assert str(cache) in said


def test_an_unknown_name_is_an_error(cache: Path) -> None:
    done = maskplug("compile", "causall", cache=cache)
    assert done.returncode == 2
    assert "causal" in done.stderr


def test_no_folder_that_can_be_written_to_is_told(cache: Path) -> None:
    # A locator that takes nothing but zip files: as good as folders that nobody can write to.
    nowhere = {"NUMBA_CACHE_LOCATOR_CLASSES": "ZipCacheLocator"}
    for command in ("doctor", "compile"):
        done = maskplug(command, cache=cache, **nowhere)
        assert done.returncode in (1, 2)
        assert "set NUMBA_CACHE_DIR to a folder that can be written to" in done.stdout + done.stderr
