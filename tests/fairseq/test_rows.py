"""Rows of several texts: keys that stay, whatever stands beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import maskplug
from maskplug import Ragged
from maskplug_fairseq.blocks import Cut
from maskplug_fairseq.loaded import Loaded
from maskplug_fairseq.rows import Rows
from support.texts import EOS, LANGUAGES, LENGTH, Text, blocks


class Lines(list[Any]):
    @property
    def sizes(self) -> list[int]:
        return [len(line) for line in self]


def same(lengths: Any) -> tuple[Any, Any]:
    return lengths, lengths


def rows_of(alpha: float = 1.0, **sizes: int) -> Rows:
    return Rows({name: Lines([[5] * 3] * size) for name, size in sizes.items()}, same, 3, alpha)


def test_keys_are_the_text_s_own() -> None:
    rows = rows_of(de=3, en=4)
    numbers = np.arange(4, dtype=np.uint64)
    wanted = [*maskplug.derive(numbers[:3], "de"), *maskplug.derive(numbers, "en")]
    assert rows.keys(np.arange(7)).tolist() == wanted
    alone = rows_of(en=4)
    assert alone.keys(np.arange(4)).tolist() == wanted[3:]
    assert Rows({"": Lines([[5]] * 3)}, same).keys(np.arange(3)).tolist() == [0, 1, 2]


def test_copies_have_keys_of_their_own() -> None:
    rows = rows_of(de=3, en=4)
    first, second, third = (rows.keys(np.arange(7) + 7 * copy) for copy in range(3))
    assert second.tolist() == maskplug.derive(first, "copy 1").tolist()
    assert len({*first.tolist(), *second.tolist(), *third.tolist()}) == 21


@pytest.mark.parametrize(("alpha", "counts"), [(0.0, [50, 50]), (0.5, [25, 75]), (1.0, [10, 90])])
def test_how_many_rows_an_epoch_has(alpha: float, counts: list[int]) -> None:
    rows = rows_of(alpha, de=10, en=90)
    assert rows.counts().tolist() == counts
    assert rows.resampled == (alpha != 1.0)
    assert rows.can_reuse_epoch_itr_across_epochs == (alpha == 1.0)
    for epoch in (1, 2):
        rows.set_epoch(epoch)
        indices = rows.ordered_indices()
        assert len(set(indices.tolist())) == sum(counts)
        times = np.bincount(indices % 100, minlength=100)
        assert [times[:10].sum(), times[10:].sum()] == counts
        assert np.ptp(times[:10]) <= 1
        assert np.ptp(times[10:]) <= 1


def test_another_epoch_draws_other_rows_and_the_same_one_the_same() -> None:
    rows = rows_of(0.5, de=10, en=90)
    drawn = []
    for epoch in (1, 2, 1):
        rows.set_epoch(epoch)
        drawn.append(rows.ordered_indices().tolist())
    assert drawn[0] == drawn[2] != drawn[1]


def test_rows_that_grow_are_filtered_by_what_they_can_become() -> None:
    rows = Rows({"": Lines([[5] * n for n in range(1, 9)])}, lambda n: (2 * n, n + 1), 3)
    kept, dropped = rows.filter_indices_by_size(np.arange(8), (8, 4))
    assert (kept.tolist(), dropped) == ([0, 1, 2], [3, 4, 5, 6, 7])
    kept, dropped = rows.filter_indices_by_size(np.arange(8), (8, None))
    assert kept.tolist() == [0, 1, 2, 3]
    assert rows.size(3) == (8, 5)
    assert rows.num_tokens(3) == 8
    assert rows.num_tokens_vec([0, 3]).tolist() == [2, 8]
    assert rows.ordered_indices().tolist() == list(range(8))


@pytest.mark.parametrize("mode", ["none", "complete", "complete_doc", "eos"])
@pytest.mark.parametrize("bare", [True, False])
def test_cutting_loses_and_doubles_nothing(text: Text, mode: str, bare: bool) -> None:
    cut = Cut(mode, LENGTH, (0,), (2,), bare=bare)
    rows = cut.rows(text.data, "train", text.dictionary())
    lines = text.lines("train") if bare else [[*line, EOS] for line in text.lines("train")]
    wanted = [[0, *row, 2] for row in blocks(lines, mode, LENGTH - 2)]
    numbers = np.random.default_rng(2).permutation(len(rows))
    ids, offsets, begins = rows.load(numbers)
    assert Ragged(ids, offsets).to_lists() == [wanted[i] for i in numbers]
    assert [rows[i].tolist() for i in range(len(rows))] == wanted
    assert np.asarray(rows.sizes).tolist() == [len(row) for row in wanted]
    if mode == "eos":
        assert begins is None
        return
    starts = {tuple(line) for line in lines if line}
    for i, row in enumerate(wanted[:-1]):
        places = np.flatnonzero(rows.load(np.array([i]))[2]).tolist()
        ends = [*places[1:], len(row) - 1]
        whole = [tuple(row[a:b]) for a, b in zip(places, ends, strict=True)]
        assert set(whole[:-1]) <= starts  # the last line may go on in the next row
        assert whole if mode == "none" else places[0] == 1
    marks = Ragged(begins, offsets).to_lists()
    assert marks == [rows.load(np.array([i]))[2].tolist() for i in numbers]


def test_rows_of_any_format_are_the_same(text: Text) -> None:
    """fairseq's other formats are read row by row."""
    cut = Cut("complete", LENGTH, (0,), (2,), bare=True)
    rows = cut.rows(text.data, "train", text.dictionary())
    numbers = np.array([3, 0, 3, len(rows) - 1])
    mapped = rows.load(numbers)
    assert rows.flat is not None
    rows.flat = None
    for one, other in zip(mapped, rows.load(numbers), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("mode", ["complete", "eos"])
def test_rows_of_several_texts_are_loaded_in_the_order_asked_for(text: Text, mode: str) -> None:
    cut = Cut(mode, LENGTH, (0,), (2,), bare=True)
    texts = {
        name: cut.rows(f"{text.data}/{name}", "train", text.dictionary()) for name in LANGUAGES
    }
    rows = Rows(texts, same)
    moments = np.arange(10).reshape(5, 2)
    indices = np.array([len(rows) - 1, 0, len(texts["de"]), 2, len(texts["de"]) - 1])
    loaded = rows.load(indices, moments)
    assert len(loaded) == 5
    assert [item["moment"] for item in loaded] == [tuple(row) for row in moments.tolist()]
    for index, item in zip(indices.tolist(), loaded, strict=True):
        alone = rows[index]
        assert item["id"] == alone["id"] == index
        assert torch.equal(item["source"], alone["source"])
        assert np.array_equal(item["line_begins"], alone["line_begins"])
    again = Loaded.of(list(loaded))
    for name in ("indices", "ids", "offsets", "line_begins", "moments"):
        assert np.array_equal(getattr(again, name), getattr(loaded, name))
    assert [item["id"] for item in loaded[1:3]] == indices[1:3].tolist()
