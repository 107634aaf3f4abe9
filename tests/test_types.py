"""Frozen arrays: what is returned itself, what is copied, and how numpy counts its flags."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskplug.types import CONTIGUOUS, OWNER, WRITABLE, readonly

VIEW = readonly(np.arange(6), np.int64)
ROWS = np.arange(6).reshape(2, 3)


@pytest.mark.parametrize("array", [VIEW, VIEW[1:4], VIEW[:0], VIEW.reshape(2, 3)])
def test_readonly_returns_read_only_views_unchanged(array: Any) -> None:
    assert readonly(array, np.int64) is array


@pytest.mark.parametrize(
    ("array", "copied"),
    [
        (np.arange(6), False),
        (ROWS, False),
        (VIEW.astype(np.int32), True),
        (VIEW.astype(">i8"), True),
        (VIEW[::2], True),
        (ROWS.T, True),
        ([1, 2], True),
        (np.int64(3), True),
        (np.ma.masked_array([1, 2]), False),  # type: ignore[no-untyped-call]
    ],
)
def test_readonly_converts_other_arrays(array: Any, copied: bool) -> None:
    writable = isinstance(array, np.ndarray) and array.flags.writeable
    view = readonly(array, np.int64)
    assert type(view) is np.ndarray
    assert view.dtype == np.int64
    assert view.dtype.isnative
    assert view.ndim
    assert view.flags.c_contiguous
    assert not view.flags.writeable
    assert view.tolist() == np.atleast_1d(np.asarray(array)).tolist()
    if isinstance(array, np.ndarray):
        assert np.shares_memory(view, array) != copied
        assert array.flags.writeable == writable, "the caller's array stays as it was"


def test_readonly_does_not_return_owners() -> None:
    owner = np.arange(3)
    owner.setflags(write=False)
    view = readonly(owner, np.int64)
    assert view is not owner
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1


@pytest.mark.parametrize("array", [VIEW, ROWS, ROWS.T, VIEW[::2], np.arange(2)])
def test_flag_bits_match_numpy(array: Any) -> None:
    flags = array.flags
    set_bits = [bool(flags.num & bit) for bit in (CONTIGUOUS, OWNER, WRITABLE)]
    assert set_bits == [flags.c_contiguous, flags.owndata, flags.writeable]
