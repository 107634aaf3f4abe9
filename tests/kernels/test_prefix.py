"""Insertion of one token matches the definition in plain Python."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maskplug.kernels.rewrite import beginnings, insert_one
from maskplug.types import offsets_of, readonly

PAD, BOS, NEW = 0, 1, 99
batches = st.lists(st.lists(st.integers(0, 3), max_size=6), max_size=6)


def flat(rows: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    ids = [token for row in rows for token in row]
    return readonly(ids, np.int64), readonly(offsets_of([len(row) for row in rows]), np.int64)


@given(batches)
def test_beginnings_are_after_padding_and_one_bos(rows: list[list[int]]) -> None:
    ids, offsets = flat(rows)
    expected = []
    for first, row in zip(offsets.tolist(), rows, strict=False):
        padding = next((i for i, token in enumerate(row) if token != PAD), len(row))
        expected.append(first + padding + (row[padding : padding + 1] == [BOS]))
    assert beginnings(ids, offsets, PAD, BOS).tolist() == expected


@given(st.data(), batches, st.booleans())
def test_insert_one(data: st.DataObject, rows: list[list[int]], moved: bool) -> None:
    ids, offsets = flat(rows)
    places = [data.draw(st.integers(0, len(row))) for row in rows]
    before = [i - 1 if moved else i for i in range(len(ids))]
    out, bounds, sources = insert_one(
        ids,
        offsets,
        readonly(before if moved else [], np.int64),
        readonly(
            [first + at for first, at in zip(offsets.tolist(), places, strict=False)], np.int64
        ),
        NEW,
    )
    expected, stood = [], []
    for first, row, at in zip(offsets.tolist(), rows, places, strict=False):
        expected.append([*row[:at], NEW, *row[at:]])
        row_sources = before[first : first + len(row)]
        stood += [*row_sources[:at], -1, *row_sources[at:]]
    assert out.tolist() == [token for row in expected for token in row]
    assert bounds.tolist() == offsets_of([len(row) for row in expected]).tolist()
    assert sources.tolist() == stood
