"""Ragged → padded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskplug import Ragged
from maskplug.collate import pad, padded_width, visible
from maskplug.errors import OptionError, TokenError
from support.batches import batch, ragged

sides = st.sampled_from(["left", "right"])


@given(ragged(), sides, st.integers(0, 9))
def test_pad_and_visible(rows: list[list[int]], side: Any, extra: int) -> None:
    tokens = batch(rows)
    width = padded_width(tokens.lengths) + extra
    padded = pad(Ragged(tokens.ids, tokens.offsets), -7, width, side)
    shown = visible(tokens.lengths, width, side)
    assert padded.dtype == np.int64
    assert padded.flags.writeable
    for row, line, seen in zip(rows, padded.tolist(), shown.tolist(), strict=True):
        fill = [-7] * (width - len(row))
        assert line == (row + fill if side == "right" else fill + row)
        assert [token for token, s in zip(line, seen, strict=True) if s] == row
        assert sum(seen) == len(row)


@pytest.mark.parametrize(
    ("lengths", "multiple", "width"),
    [([], None, 0), ([], 8, 0), ([0, 0], 8, 0), ([3, 8], 8, 8), ([9], 8, 16), ([9], None, 9)],
)
def test_padded_width(lengths: list[int], multiple: int | None, width: int) -> None:
    assert padded_width(np.array(lengths, np.int64), multiple) == width


def test_invalid_width_and_multiple_are_refused() -> None:
    with pytest.raises(OptionError, match="pad_to_multiple_of is 0"):
        padded_width(np.array([3]), 0)
    with pytest.raises(TokenError, match="3 tokens does not fit into a width of 2"):
        pad(Ragged(np.array([1, 2, 3]), np.array([0, 3])), 0, width=2)


def test_padded_rows_are_copies() -> None:
    values = np.array([1, 2, 3])
    pad(Ragged(values, np.array([0, 3])), 0)[0, 0] = 9
    assert values.tolist() == [1, 2, 3]


@pytest.mark.parametrize("width", [2, 3])
def test_float_rows_are_padded_as_floats(width: int) -> None:
    rows = Ragged(np.array([0.5, 1.5, 2.5, 3.5]), np.array([0, 2, 4]))
    padded = pad(rows, 0, width)
    assert padded.dtype == np.float64
    assert padded.tolist() == [[0.5, 1.5, 0.0][:width], [2.5, 3.5, 0.0][:width]]
