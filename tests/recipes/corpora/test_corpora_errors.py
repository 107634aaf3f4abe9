"""What goes wrong is told with its culprit, never as a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result

from support.debian_archive import make


def refused(result: Result) -> str:
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    return result.output


def test_without_apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "no apt-get on this machine" in refused(make(tmp_path / "out"))


def test_an_update_that_fails(apt: Path, tmp_path: Path) -> None:
    (apt / "status").write_text("100")
    (apt / "says").write_text("".join(f"line {n}\n" for n in range(40)) + "E: no such host\n")
    told = refused(make(tmp_path / "out"))
    assert "apt-get failed" in told
    assert "line 26\n" in told
    assert "line 25\n" not in told
    assert "E: no such host" in told


@pytest.mark.parametrize(
    ("gone", "told"), [("Packages", "index Packages"), ("\ten\t", "index Translation-en")]
)
def test_an_index_that_is_not_there(apt: Path, tmp_path: Path, gone: str, told: str) -> None:
    lines = (apt / "targets").read_text().splitlines(keepends=True)
    (apt / "targets").write_text("".join(line for line in lines if gone not in line))
    output = refused(make(tmp_path / "out"))
    assert told in output
    assert "W: Some index files failed to download." in output


def test_a_language_that_is_not_there(apt: Path, tmp_path: Path) -> None:
    output = refused(make(tmp_path / "out", "de,eo"))
    assert "apt has no index Translation-eo of Debian or Ubuntu (main, universe)" in output


@pytest.mark.parametrize("code", ["en", "", "de;", "German", '"'])
def test_a_language_that_is_none(tmp_path: Path, code: str) -> None:
    output = refused(make(tmp_path / "out", f"fr,{code}"))
    assert f"--languages: {code!r} is no language" in output
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_a_file(apt: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    assert str(tmp_path / "out") in refused(make(tmp_path / "out"))
