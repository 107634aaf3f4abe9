"""Distributions whose metadata is damaged do not keep others from being read."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskplug.plugins.manager import entry_points
from support.fake_plugins import REGISTER, Site

ENTRY = b"[maskplug]\nbad = bad\n"
BINARY = b"\xff\xfe\x00maskplug\x80"
UNREADABLE = {"binary": BINARY, "a line without '='": b"[maskplug]\nbad\n"}
METADATA = {"missing": None, "empty": b"", "binary": BINARY, "no name": b"Version: 1\n"}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.syspath_prepend(tmp_path)
    site = Site(tmp_path)
    site.install("good")
    site.install("bad", REGISTER, "0.3")
    return site


def damage(site: Site, name: str, content: bytes | None) -> Path:
    file = site.folder / "bad-0.3.dist-info" / name
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    return file.parent


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_entry_points_are_named(site: Site, content: bytes) -> None:
    damage(site, "entry_points.txt", content)
    provided, unreadable = entry_points()
    assert ("good", "1.2") in {one[1:] for one in provided}
    assert [one[:2] for one in unreadable] == [("bad", "0.3")]


@pytest.mark.parametrize("content", METADATA.values(), ids=METADATA)
def test_without_a_name_the_path_is_given(site: Site, content: bytes | None) -> None:
    folder = damage(site, "METADATA", content)
    provided, unreadable = entry_points()
    assert unreadable == []
    names = {one.entry_point.name: one[1:] for one in provided}
    assert names["good"] == ("good", "1.2")
    assert names["bad"][0] == str(folder)


def test_damaged_metadata_and_entry_points(site: Site) -> None:
    damage(site, "METADATA", BINARY)
    folder = damage(site, "entry_points.txt", BINARY)
    assert [one[:2] for one in entry_points()[1]] == [(str(folder), "(no version)")]


def test_unreadable_distribution_is_reported_once(site: Site) -> None:
    damage(site, "entry_points.txt", BINARY)
    code = "print(maskplug.strategy('half').label, maskplug.strategy('dynamic').label)\n"
    done = site.run(code)
    assert done.stdout == "good:half@1 dynamic@1\n"
    assert done.stderr.count("the entry points of bad 0.3 cannot be read: UnicodeDecodeError") == 1
    assert site.run(code, MASKPLUG_LOAD_PLUGINS="good").stderr == ""
    strict = site.run(code, MASKPLUG_STRICT_PLUGINS="1")
    assert strict.returncode == 1
    assert "PluginError: the entry points of bad 0.3 cannot be read" in strict.stderr
    listed = site.run("from maskplug.cli import main; main(['plugins'])", COLUMNS="200")
    assert "left out: UnicodeDecodeError" in listed.stdout
