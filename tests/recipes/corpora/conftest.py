"""A fake apt-get for the tests of the corpora."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.debian_archive import COUNT, FAKE, english, german, lay, package


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of an apt-get with indices of 240 packages, 160 of them translated."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "apt-get").write_text(FAKE)
    (folder / "apt-get").chmod(0o755)
    (folder / "output").write_text("Get:1 mirror\nW: Some index files failed to download.\n")
    (folder / "status").write_text("0")
    numbers = range(COUNT)
    translated = [german(number) for number in numbers if number % 2 == 0 or number % 6 == 1]
    # Other archives, suites and components must not be read.
    targets = [
        ("Debian", "stable", "main", "Packages", "", map(package, numbers)),
        ("Debian", "stable", "main", "Translations", "en", map(english, numbers)),
        ("Debian", "stable", "main", "Translations", "de", translated),
        ("Debian", "stable-updates", "main", "Translations", "en", ["broken"]),
        ("Debian", "stable", "non-free", "Packages", "", ["broken"]),
        ("Elsewhere", "stable", "main", "Packages", "", ["broken"]),
        ("Debian", "stable", "main", "DEP-11", "", ["broken"]),
    ]
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    (folder / "targets").write_text("".join(lay(folder, *target) for target in targets))
    return folder
