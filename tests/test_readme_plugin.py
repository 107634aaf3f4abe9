"""The plugin of the README, installed as a distribution, passes the conformance checks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: Blocks that begin with a file name.
FILE = re.compile(
    r"^```(?:python plugin|ini notest|toml notest)\n# (\S+)\n(.*?)^```\n", re.M | re.S
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the distribution into a folder."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("target")
    for name, text in FILE.findall((ROOT / "README.md").read_text()):
        (source / name).write_text(text)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--target", str(target)]
    done = subprocess.run([*pip, *offline, str(source)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return target


def maskplug(target: Path, *arguments: str) -> str:
    """Run the command with the distribution on the path, and return its output."""
    paths = [str(target), *filter(None, [os.environ.get("PYTHONPATH"), str(ROOT)])]
    done = subprocess.run(
        [sys.executable, "-c", f"from maskplug.cli import main; main({list(arguments)})"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "200"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_plugin_has_three_files() -> None:
    files = dict(FILE.findall((ROOT / "README.md").read_text()))
    assert set(files) == {"long_words.py", "setup.cfg", "pyproject.toml"}


def test_plugin_passes_the_checks(installed: Path) -> None:
    output = maskplug(installed, "check", "long_words")
    outcomes = dict(re.findall(r"^(check_\w+) +(passed|known|not applicable)", output, re.M))
    assert "failed" not in output
    assert [name for name, outcome in outcomes.items() if outcome == "known"] == [
        "check_something_is_predicted"
    ]
    for name in ("check_rate", "check_key_changes_masks", "check_neighbours_are_uncorrelated"):
        assert outcomes[name] == "passed"


def test_plugin_is_listed(installed: Path) -> None:
    assert "long-words 0.1" in maskplug(installed, "plugins")
    output = maskplug(installed, "list", "long_words")
    assert output.count("rate: float = 0.5") == 2
    assert "Mask words of several tokens." in output
