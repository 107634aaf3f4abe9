"""Files are checked against their digest whenever they are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskplug.errors import OptionError
from maskplug.preprocessing.resource import Resource


def test_file_that_changes_before_reading_raises(tmp_path: Path) -> None:
    # Otherwise a worker that starts later would use another list.
    path = tmp_path / "list.txt"
    path.write_text("5 6\n")
    resource = Resource.of(path)
    assert resource.lines() == ["5 6"]
    assert resource.content() == b"5 6\n"
    path.write_text("5 7\n")
    with pytest.raises(OptionError, match=rf"list\.txt has changed: .* {resource.digest} is asked"):
        resource.lines()
    with pytest.raises(OptionError, match="has changed"):
        Resource.of({"path": str(path), "digest": resource.digest})
    assert Resource.of(path).digest != resource.digest
