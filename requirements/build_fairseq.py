"""Build a wheel of fairseq without the extensions that compile against the headers of PyTorch.

Usage: ``python requirements/build_fairseq.py REQUIREMENT FOLDER``. The skipped extensions take most
of the build and belong to Levenshtein and insertion models, BASE layers and monotonic attention,
which this project does not use.
"""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import setuptools

NEEDED = ("fairseq.libbleu", "fairseq.data.data_utils_fast", "fairseq.data.token_block_utils_fast")


def build(requirement: str, folder: Path) -> None:
    """Download ``requirement`` into ``folder``, and build its wheel there if PyPI has none."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    pip += ["--no-deps", "--no-build-isolation", "--dest", str(folder), requirement]
    subprocess.run(pip, check=True)
    for archive in folder.glob("*.tar.gz"):
        with TemporaryDirectory() as unpacked:
            shutil.unpack_archive(archive, unpacked)
            (source,) = Path(unpacked).iterdir()
            subprocess.run(
                [sys.executable, __file__, "--setup", str(folder)],
                cwd=source,
                env={**os.environ, "CFLAGS": "-g0"},
                check=True,
            )
        archive.unlink()


def run_setup(folder: str) -> None:
    """Run the ``setup.py`` of the current folder with the needed extensions only."""
    setup = setuptools.setup

    def reduced(ext_modules: list[setuptools.Extension], **options: Any) -> Any:
        return setup(ext_modules=[e for e in ext_modules if e.name in NEEDED], **options)

    setuptools.setup = reduced
    sys.argv = ["setup.py", "--quiet", "bdist_wheel", "--dist-dir", folder]
    runpy.run_path("setup.py", run_name="__main__")


if __name__ == "__main__":
    if sys.argv[1] == "--setup":
        run_setup(sys.argv[2])
    else:
        target = Path(sys.argv[2]).resolve()
        target.mkdir(parents=True, exist_ok=True)
        build(sys.argv[1], target)
