"""``maskplug compile``, in processes with a kernel cache of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.commands import refused

COMMAND = "from maskplug.cli import main; main({})"
#: Compile, and print how many signatures two kernels of adapters then have.
SIGNATURES = """
from maskplug.cli import main
main(["compile", "none"], standalone_mode=False)
from maskplug.kernels import pad, philox
print(len(pad.pad_into.signatures), len(philox.content_keys.signatures))
"""
FINDING = "from maskplug.cli.doctor import cache; print(cache())"


def python(code: str, cache: Path, **env: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "COLUMNS": "200", **env}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kernels")


@pytest.mark.slow  # compiles in an empty cache; the next test is its small form
def test_kernels_of_a_pattern_are_compiled_once(cache: Path) -> None:
    compile_causal = COMMAND.format(["compile", "causal"])
    first = python(compile_causal, cache)
    assert first.returncode == 0, first.stderr
    assert "intervals.tidy" in first.stdout
    count = int(first.stdout.split(" kernels compiled")[0].splitlines()[-1])
    assert count == len(list(cache.rglob("*.nbi"))) > 5
    again = python(compile_causal, cache)
    assert again.stdout.startswith(f"0 kernels compiled in 0.0 s; {count} in the cache")
    finding = python(FINDING, cache).stdout
    assert f"{count} of " in finding
    assert str(cache) in finding


def test_kernels_for_adapters_are_ready_after_compile() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SIGNATURES], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "1 1"


@pytest.mark.slow
def test_kernels_for_adapters_are_compiled_with_a_strategy(cache: Path) -> None:
    done = python(COMMAND.format(["compile", "none"]), cache)
    assert done.returncode == 0, done.stderr
    assert "pad.pad_into" in done.stdout
    assert "philox.content_keys" in done.stdout


def test_an_unknown_name_is_refused() -> None:
    assert "causal" in refused("compile", "causall")


def test_without_a_writable_folder_the_message_is_the_remedy(cache: Path) -> None:
    # A locator that accepts only zip files, as if no folder were writable.
    nowhere = {"NUMBA_CACHE_LOCATOR_CLASSES": "ZipCacheLocator"}
    for code in (FINDING, COMMAND.format(["compile"])):
        done = python(code, cache, **nowhere)
        assert "set NUMBA_CACHE_DIR to a writable folder" in done.stdout + done.stderr
    assert done.returncode == 2
