"""Tests of options that are files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from maskplug import Selector
from maskplug import spec as specs
from maskplug.errors import OptionError
from maskplug.preprocessing.resource import Resource
from maskplug.registry import Entry


@dataclass(frozen=True)
class Listed(Selector):
    file: Resource

    def select(self, tokens, vocab, rng):
        raise NotImplementedError


ENTRY = Entry("selector", "listed", 1, Listed, "here")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "list.txt"
    path.write_text("a\r\nb\n")
    return path


def test_path_becomes_resource_in_spec(file: Path) -> None:
    resource = Resource.of(file)
    spec = {"path": str(file), "digest": resource.digest}
    for value in (str(file), file, resource, spec):
        selector = specs.build(ENTRY, {"file": value})
        assert selector.file == resource
        assert specs.canonical(selector.file) == spec


def test_file_that_changes_before_reading_raises(file: Path) -> None:
    # Otherwise a worker that starts later would use another list.
    resource = Resource.of(file)
    assert resource.content() == b"a\r\nb\n"
    file.write_text("other")
    with pytest.raises(OptionError, match=rf"list\.txt has changed: .* {resource.digest} is asked"):
        resource.lines()
    with pytest.raises(OptionError, match="has changed"):
        Resource.of(specs.canonical(resource))
    assert Resource.of(file).digest != resource.digest


def test_fingerprint_depends_on_content_not_path(file: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "copy.txt"
    elsewhere.write_bytes(file.read_bytes())
    other = tmp_path / "other.txt"
    other.write_text("c\n")
    prints = [
        specs.fingerprint({"options": {"files": [specs.canonical(Resource.of(path))]}})
        for path in (file, elsewhere, other)
    ]
    assert prints[0] == prints[1] != prints[2]


def test_lines(file: Path, tmp_path: Path) -> None:
    assert Resource.of(file).lines() == ["a", "b"]
    empty = tmp_path / "empty"
    empty.write_text("")
    assert Resource.of(empty).lines() == []


def test_bad_files(file: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"the file /no/such/file cannot be read: No such file"):
        specs.build(ENTRY, {"file": "/no/such/file"})
    with pytest.raises(OptionError, match="cannot be read: Is a directory"):
        Resource.of(tmp_path)
    with pytest.raises(OptionError, match=r"'file' is 3; it must be the path of a file"):
        specs.build(ENTRY, {"file": 3})
    with pytest.raises(OptionError, match="given by its path, not by 3"):
        Resource.of(3)
    with pytest.raises(OptionError, match="given by its path, not by"):
        Resource.of({"path": str(file)})
    file.write_bytes(b"fine\n\xff\n")
    with pytest.raises(OptionError, match=r"list.txt, line 2: not UTF-8"):
        Resource.of(file).lines()
