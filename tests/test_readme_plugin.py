"""The plugin in the README, copied file by file, is a distribution that passes the checks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: Blocks whose first line is the name of a file.
FILE = re.compile(
    r"^```(?:python plugin|ini notest|toml notest)\n# (\S+)\n(.*?)^```\n", re.M | re.S
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the distribution is installed."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("target")
    files = dict(FILE.findall((ROOT / "README.md").read_text()))
    assert set(files) == {"long_words.py", "setup.cfg", "pyproject.toml"}
    for name, text in files.items():
        (source / name).write_text(text)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--target", str(target)]
    result = subprocess.run([*pip, *offline, str(source)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return target


def maskplug(target: Path, *arguments: str) -> str:
    """Return the output of a maskplug command with the distribution on the path."""
    paths = [str(target), *filter(None, [os.environ.get("PYTHONPATH"), str(ROOT)])]
    result = subprocess.run(
        [sys.executable, "-c", f"from maskplug.cli import main; main({list(arguments)})"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "200"},
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


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
