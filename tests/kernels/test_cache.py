"""A damaged or full kernel cache costs a compilation and one warning."""

from __future__ import annotations

import errno
import importlib.util
import pickle
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import pytest

from maskplug import MaskplugWarning
from maskplug.kernels import cache
from maskplug.kernels.cache import Checked

SOURCE = """
from maskplug.kernels import kernel

@kernel
def twice(x):
    return 2 * x

@kernel
def thrice(x):
    return 3 * x
"""


class Kernels:
    """Two small kernels in a module that is imported again at each use, with its own cache."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "tiny.py"
        self.file.write_text(SOURCE)

    def use(self) -> tuple[list[str], int]:
        """Call both as a new process would; return warnings and the number of compilations."""
        cache._warned.clear()
        spec = importlib.util.spec_from_file_location("tiny", self.file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert (module.twice(21), module.thrice(14)) == (42, 42)
        assert {one.category for one in caught} <= {MaskplugWarning}
        kernels = (module.twice, module.thrice)
        misses = sum(sum(one.stats.cache_misses.values()) for one in kernels)
        return [str(one.message) for one in caught], misses

    def files(self, kind: str) -> list[Path]:
        """Return the files of the cache of this kind, "nbi" or "nbc"."""
        return sorted((self.file.parent / "cache").rglob(f"*.{kind}"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Kernels:
    folder = tmp_path_factory.mktemp("kernels")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numba.config, "CACHE_DIR", str(folder / "cache"))
        tiny = Kernels(folder)
        assert tiny.use() == ([], 2)
    return tiny


@pytest.fixture
def kernels(whole: Kernels, monkeypatch: pytest.MonkeyPatch) -> Kernels:
    """The kernels with an intact cache, whatever earlier tests did to it."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(whole.file.parent / "cache"))
    if whole.use() != ([], 0):
        assert whole.use() == ([], 0)
    return whole


def test_compiled_kernels_are_loaded_from_disk(kernels: Kernels) -> None:
    assert len(kernels.files("nbi")) == len(kernels.files("nbc")) == 2
    assert kernels.use() == ([], 0)


def flip(data: bytes) -> bytes:
    """Return the data with one bit changed at three quarters of its length."""
    place = len(data) * 3 // 4
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "one byte": lambda data: data[:1],
    "half": lambda data: data[: len(data) // 2],
    "last byte missing": lambda data: data[:-1],
    "zeros": lambda data: bytes(len(data)),
    "text": lambda data: b"this is no cache\n" * 9,
    "noise": lambda data: bytes(range(255, 0, -1)) * 9,
    "other pickle": lambda data: pickle.dumps({"a": 1}),
}


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_files_are_recompiled(
    kernels: Kernels, kind: str, damage: Callable[[bytes], bytes]
) -> None:
    for file in kernels.files(kind):
        file.write_bytes(damage(file.read_bytes()))
    messages, compiled = kernels.use()
    assert compiled == 2
    if kind == "nbi" and damage is DAMAGE["other pickle"]:  # as one of another version of numba
        assert messages == []
    else:
        assert len(messages) == 1
        assert "the compiled kernel tiny.twice in " in messages[0]
        assert "compiled again" in messages[0]
    assert kernels.use() == ([], 0)


def test_changed_machine_code_is_detected(kernels: Kernels) -> None:
    for file in kernels.files("nbc"):
        file.write_bytes(flip(file.read_bytes()))
    messages, compiled = kernels.use()
    assert (len(messages), compiled) == (1, 2)
    assert "digest" in messages[0]


def test_code_of_another_kernel_is_detected(kernels: Kernels) -> None:
    one, other = kernels.files("nbc")
    shutil.copy(one, other)
    messages, compiled = kernels.use()
    assert (len(messages), compiled) == (1, 1)
    assert kernels.use() == ([], 0)


def test_folder_instead_of_a_cache_file(kernels: Kernels) -> None:
    for kind in ("nbi", "nbc"):
        file = kernels.files(kind)[0]
        file.unlink()
        file.mkdir()
        messages, compiled = kernels.use()
        assert compiled == 1
        assert "cannot be kept in" in messages[-1]
        assert len(messages) <= 2
        file.rmdir()
        kernels.use()


@pytest.mark.parametrize("method", ["_save_index", "_save_data"])
def test_full_disk_warns_once(
    kernels: Kernels, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for file in kernels.files("nbi"):
        file.unlink()
    with monkeypatch.context() as patch:
        patch.setattr(Checked, method, full)
        messages, compiled = kernels.use()
    assert compiled == 2
    assert len(messages) == 1
    assert "cannot be kept" in messages[0]
    assert "No space left on device" in messages[0]
    assert "NUMBA_CACHE_DIR" in messages[0]


def test_missing_folder_is_recreated(kernels: Kernels) -> None:
    shutil.rmtree(kernels.file.parent / "cache")
    assert kernels.use() == ([], 2)


def test_code_of_an_older_source_is_detected(
    kernels: Kernels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state after a disk became full between index and code."""
    kernels.file.write_text(SOURCE.replace("return 2 * x", "return x + x"))
    with monkeypatch.context() as patch:
        patch.setattr(Checked, "_save_data", lambda *arguments: None)
        kernels.use()
    messages, compiled = kernels.use()
    assert (len(messages), compiled) == (1, 2)
    kernels.file.write_text(SOURCE)
    kernels.use()
