"""The plugin in the README, copied file by file, is a distribution that passes the checks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Blocks whose first line is the name of a file.
FILE = re.compile(
    r"^```(?:python plugin|ini notest|toml notest)\n# (\S+)\n(.*?)^```\n", re.M | re.S
)


CODE = """
import maskplug
from maskplug.cli import main

for command in ("check long_words", "plugins", "list long_words"):
    main(command.split(), standalone_mode=False)
    print("END OF COMMAND")
vocab = maskplug.Vocabulary.from_pieces(["<mask>", "▁a", "b", "▁c"], mask_id=0)
tokens = maskplug.TokenBatch.from_lists([[1, 2, 3, 1, 2]], keys=[1])
masked = maskplug.strategy("long_words", rate=1.0)(tokens, vocab)
print(masked.selection.mask.astype(int).tolist())
"""


def test_plugin_can_be_installed_and_passes_the_checks(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    files = dict(FILE.findall((ROOT / "README.md").read_text()))
    assert set(files) == {"long_words.py", "setup.cfg", "pyproject.toml"}
    for name, text in files.items():
        (source / name).write_text(text)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--target", str(target)]
    result = subprocess.run([*pip, *offline, str(source)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    paths = [str(target), *filter(None, [os.environ.get("PYTHONPATH"), str(ROOT)])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "200"}
    result = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, env=environment
    )
    assert result.returncode == 0, result.stdout + result.stderr
    checked, plugins, listed, masked = result.stdout.split("END OF COMMAND")
    outcomes = dict(re.findall(r"^(check_\w+) +(passed|known|not applicable)", checked, re.M))
    assert "failed" not in checked
    assert [name for name, outcome in outcomes.items() if outcome == "known"] == [
        "check_something_is_predicted"
    ]
    for name in ("check_rate", "check_key_changes_masks", "check_neighbours_are_uncorrelated"):
        assert outcomes[name] == "passed"
    assert "long-words 0.1" in plugins
    assert listed.count("rate: float = 0.5") == 2
    assert "Mask words of several tokens." in listed
    assert masked.strip() == "[1, 1, 0, 1, 1]"
