"""Rows of several texts: stable keys, resampling, cutting and loading."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from fairseq.data import ListDataset

import maskplug
from maskplug import Ragged
from maskplug_fairseq.rows import RowBatch, Rows, TextRows, load_texts
from support.fairseq_data import EOS, LENGTH, Text, cut


def text_of(*sizes: int) -> TextRows:
    lines = [torch.full((size,), 5) for size in sizes]
    return TextRows(ListDataset(lines, list(sizes)), (), ())


def load_rows(text: Text, mode: str, *folders: str, drop_eos: bool = True) -> dict[str, TextRows]:
    """Return the training rows of texts by folder, each row with an end of sequence."""
    cfg = SimpleNamespace(data=text.data, sample_break_mode=mode, tokens_per_sample=LENGTH)
    endings = dict.fromkeys(folders or [""], (EOS,))
    return load_texts(cfg, text.dictionary(), endings, "train", drop_eos=drop_eos)


def same(lengths: Any) -> tuple[Any, Any]:
    return lengths, lengths


def rows_of(alpha: float = 1.0, **sizes: int) -> Rows:
    return Rows({name: text_of(*[3] * size) for name, size in sizes.items()}, same, 3, alpha)


def keys_of(rows: Rows, *indices: int) -> list[int]:
    times = np.zeros((len(indices), 2), np.int64)
    return rows.load(np.array(indices), times).keys.tolist()  # type: ignore[no-any-return]


def test_keys_depend_only_on_the_row_and_its_text() -> None:
    numbers = np.arange(4, dtype=np.uint64)
    expected = [*maskplug.derive(numbers[:3], "de"), *maskplug.derive(numbers, "en")]
    assert keys_of(rows_of(de=3, en=4), *range(7)) == expected
    assert keys_of(rows_of(en=4), *range(4)) == expected[3:]
    assert keys_of(Rows({"": text_of(1, 1, 1)}, same), *range(3)) == [0, 1, 2]


def test_copies_of_a_row_have_different_keys() -> None:
    keys = [keys_of(rows_of(de=3, en=4), *range(7 * copy, 7 * copy + 7)) for copy in range(3)]
    first = np.array(keys[0], np.uint64)
    assert keys[1] == maskplug.derive(first, "copy 1").tolist()
    assert len({*keys[0], *keys[1], *keys[2]}) == 21


@pytest.mark.parametrize(("alpha", "counts"), [(0.0, [50, 50]), (0.5, [25, 75]), (1.0, [10, 90])])
def test_rows_of_an_epoch(alpha: float, counts: list[int]) -> None:
    rows = rows_of(alpha, de=10, en=90)
    assert rows.counts().tolist() == counts
    assert rows.resampled == (alpha != 1.0)
    assert rows.can_reuse_epoch_itr_across_epochs == (alpha == 1.0)
    drawn = []
    for epoch in (1, 2, 1):
        rows.set_epoch(epoch)
        indices = rows.ordered_indices()
        assert len(set(indices.tolist())) == sum(counts)
        times = np.bincount(indices % 100, minlength=100)
        assert [times[:10].sum(), times[10:].sum()] == counts
        assert np.ptp(times[:10]) <= 1
        assert np.ptp(times[10:]) <= 1
        drawn.append(indices.tolist())
    assert drawn[0] == drawn[2]
    assert (drawn[0] != drawn[1]) == rows.resampled


def test_sizes_are_those_after_masking() -> None:
    rows = Rows({"": text_of(*range(1, 9))}, lambda n: (2 * n, n + 1), 3)
    fitting, others = rows.filter_indices_by_size(np.arange(8), (8, 4))
    assert (fitting.tolist(), others) == ([0, 1, 2], [3, 4, 5, 6, 7])
    fitting, others = rows.filter_indices_by_size(np.arange(8), (8, None))
    assert fitting.tolist() == [0, 1, 2, 3]
    assert rows.size(3) == (8, 5)
    assert rows.num_tokens(3) == 8
    assert rows.num_tokens_vec([0, 3]).tolist() == [2, 8]
    assert rows.ordered_indices().tolist() == list(range(8))


@pytest.mark.parametrize("mode", ["none", "complete", "complete_doc", "eos"])
@pytest.mark.parametrize("drop_eos", [True, False])
def test_every_token_is_in_one_row(text: Text, mode: str, drop_eos: bool) -> None:
    rows = load_rows(text, mode, drop_eos=drop_eos)[""]
    lines = text.lines("train") if drop_eos else [[*line, EOS] for line in text.lines("train")]
    expected = [[0, *row, 2] for row in cut(lines, mode, LENGTH - 2)]
    numbers = np.random.default_rng(2).permutation(len(rows))
    ids, offsets, line_starts = rows.load(numbers)
    assert Ragged(ids, offsets).to_lists() == [expected[i] for i in numbers]
    assert [rows[i].tolist() for i in range(len(rows))] == expected
    assert np.asarray(rows.sizes).tolist() == [len(row) for row in expected]
    if mode == "eos":
        assert line_starts is None
        return
    each = [rows.load(np.array([i]))[2] for i in range(len(rows))]
    assert Ragged(line_starts, offsets).to_lists() == [each[i].tolist() for i in numbers]
    whole_lines = {tuple(line) for line in lines if line}
    for row, starts in zip(expected[:-1], each, strict=False):
        positions = np.flatnonzero(starts).tolist()
        ends = [*positions[1:], len(row) - 1]
        parts = [tuple(row[a:b]) for a, b in zip(positions, ends, strict=True)]
        assert set(parts[:-1]) <= whole_lines  # the last line may continue in the next row
        assert parts if mode == "none" else positions[0] == 1


def test_other_file_formats_are_read_row_by_row(text: Text) -> None:
    rows = load_rows(text, "complete")[""]
    numbers = np.array([3, 0, 3, len(rows) - 1])
    mapped = rows.load(numbers)
    assert rows.file is not None
    rows.file = None
    for array, other in zip(mapped, rows.load(numbers), strict=True):
        assert np.array_equal(array, other)


@pytest.mark.parametrize("mode", ["complete", "eos"])
def test_rows_of_several_texts_are_in_the_order_of_indices(text: Text, mode: str) -> None:
    texts = load_rows(text, mode, "de", "en")
    rows = Rows(texts, same)
    times = np.arange(10).reshape(5, 2)
    indices = np.array([len(rows) - 1, 0, len(texts["de"]), 2, len(texts["de"]) - 1])
    batch = rows.load(indices, times)
    assert len(batch) == 5
    assert [item["time"] for item in batch] == [tuple(row) for row in times.tolist()]
    for index, item in zip(indices.tolist(), batch, strict=True):
        alone = rows[index]
        assert item["id"] == alone["id"] == index
        assert (item["key"], item["text"]) == (alone["key"], alone["text"])
        assert torch.equal(item["source"], alone["source"])
        assert np.array_equal(item["line_starts"], alone["line_starts"])
    parsed = RowBatch.parse(list(batch))
    for name in ("indices", "keys", "texts", "times", "ids", "offsets", "line_starts"):
        assert np.array_equal(getattr(parsed, name), getattr(batch, name))
