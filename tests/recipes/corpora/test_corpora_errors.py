"""Errors name their cause and have no traceback."""

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


def test_missing_apt_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt-get is missing" in refused(make(tmp_path / "out"))


def test_a_failing_update_is_quoted(apt: Path, tmp_path: Path) -> None:
    (apt / "status").write_text("100")
    (apt / "output").write_text("".join(f"line {n}\n" for n in range(40)) + "E: no such host\n")
    message = refused(make(tmp_path / "out"))
    assert "apt-get failed" in message
    assert "line 26\n" in message
    assert "line 25\n" not in message
    assert "E: no such host" in message


@pytest.mark.parametrize(
    ("gone", "message"), [("Packages", "index Packages"), ("\ten\t", "index Translation-en")]
)
def test_a_missing_index_is_an_error(apt: Path, tmp_path: Path, gone: str, message: str) -> None:
    lines = (apt / "targets").read_text().splitlines(keepends=True)
    (apt / "targets").write_text("".join(line for line in lines if gone not in line))
    output = refused(make(tmp_path / "out"))
    assert message in output
    assert "W: Some index files failed to download." in output


def test_a_missing_language_is_an_error(apt: Path, tmp_path: Path) -> None:
    output = refused(make(tmp_path / "out", "de,eo"))
    assert "apt has no index Translation-eo of Debian or Ubuntu (main, universe)" in output


@pytest.mark.parametrize("code", ["en", "", "de;", "German", '"'])
def test_an_invalid_language_is_an_error(tmp_path: Path, code: str) -> None:
    output = refused(make(tmp_path / "out", f"fr,{code}"))
    assert f"--languages: {code!r} is not a target language" in output
    assert not (tmp_path / "out").exists()


def test_a_file_as_output_folder_is_an_error(apt: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    assert str(tmp_path / "out") in refused(make(tmp_path / "out"))
