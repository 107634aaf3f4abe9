"""Pictures of masks: what each cell says, what is counted, and what is refused."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug.attention import Picture
from maskplug.attention.pictures.frame import Frame, Mark, kinds, pooled
from maskplug.errors import MaskplugError

A, B = Mark.FIRST, Mark.SECOND
V, H, L = Mark.VISIBLE, Mark.HIDDEN, Mark.LEAK


def picture(text: str, *lengths: int, **more: Any) -> Picture:
    return maskplug.pattern(text).picture(*lengths, **more)


def marks(picture: Picture, frame: int = 0) -> list[list[int]]:
    return picture.frames[frame].marks().tolist()


def test_visible_and_hidden_cells_are_those_of_the_dense_mask() -> None:
    made = picture("window:left=2,right=1", 9)
    dense = maskplug.pattern("window:left=2,right=1").dense(9)[0, 0]
    assert marks(made) == np.where(dense, V, H).tolist()
    assert made.title == "window:left=2,right=1"


def test_a_picture_shows_the_sample_and_the_head_that_was_asked_for() -> None:
    rows = [[1, 1, 2], [1, 2, 2]]
    second = picture("document", 3, documents=rows, sample=1)
    assert marks(second) == [[V, H, H], [H, V, V], [H, V, V]]
    masks = np.zeros((2, 3, 4, 4), np.bool_)
    masks[1, 2, 0, 3] = True
    shown = Picture.compare(masks, masks, sample=1, head=2)
    assert np.argwhere(shown.frames[0].seen).tolist() == [[0, 3]]


def test_a_difference_has_four_marks_and_a_count_of_each() -> None:
    made = picture("window:left=1", 3, compare="full & ~sink:n=1")
    assert marks(made) == [[A, B, B], [A, V, B], [H, V, V]]
    words = made.words(made.frames[0])
    assert words[0] == "only A 2, only B 3, both 3, neither 1"
    assert words[1] == "visible: A 55.6%; B 66.7%"
    assert made.title.splitlines() == ["A = window:left=1,right=0", "B = full & ~sink:n=1"]


def test_what_was_received_is_compared_with_what_was_asked() -> None:
    asked = maskplug.pattern("document").dense(4, documents=[0, 0, 1, 1])
    received = np.ones((1, 1, 4, 4), np.bool_)
    made = Picture.compare(asked, received, block=2, title="layer 3")
    assert marks(made) == [[V, V, B, B], [V, V, B, B], [B, B, V, V], [B, B, V, V]]
    assert made.words(made.frames[0]) == [
        "only asked 0, only received 8, both 8, neither 0",
        "visible: asked 50.0%; received 100.0%",
        "rows that see nothing: asked 0; received 0",
        "blocks of 2: asked 2 full, 0 partial, 2 empty; received 4 full, 0 partial, 0 empty",
    ]


def test_leaks_are_what_another_pattern_hides() -> None:
    made = picture("window:left=1,right=1", 3, within="causal")
    assert marks(made) == [[V, L, H], [V, V, L], [H, V, V]]
    assert "leaks: 2 (beyond causal)" in made.words(made.frames[0])


def test_leaks_across_documents_and_to_padding_need_no_second_pattern() -> None:
    made = picture("causal", 4, documents=[0, 0, 1, 1], valid=[1, 1, 1, 0])
    assert marks(made) == [[V, H, H, H], [V, V, H, H], [L, L, V, H], [V, V, V, V]]
    assert "leaks: 2 (across documents, to padding)" in made.words(made.frames[0])
    full = picture("full", 2, valid=[1, 0])
    assert marks(full) == [[V, L], [V, V]], "what padding sees is read by nobody"
    tight = picture("causal & document & padding", 4, documents=[0, 0, 1, 1], valid=[1, 1, 1, 0])
    assert not tight.frames[0].leaks.any()


def test_leaks_in_cross_attention() -> None:
    arguments = {"attention_kind": "cross", "documents": [0, 0, 1], "query_documents": [0, 1]}
    assert marks(picture("full", 2, 3, **arguments)) == [[V, V, L], [L, L, V]]
    padded = picture("full", 2, 3, attention_kind="cross", valid=[1, 1, 0], valid_queries=[1, 0])
    assert marks(padded) == [[V, V, L], [V, V, V]]
    assert (
        picture("full", 2, 3, attention_kind="cross", documents=[0, 0, 1]).frames[0].leaks is None
    )


def test_rows_that_see_nothing_are_counted_but_for_padding() -> None:
    made = picture("causal & ~sink:n=2", 4)
    assert made.frames[0].empty.tolist() == [True, True, False, False]
    assert "rows that see nothing: 2 (0, 1)" in made.words(made.frames[0])
    padded = picture("causal & padding", 4, valid=[0, 0, 1, 1])
    assert not padded.frames[0].empty.any()
    many = picture("~full", 9)
    assert "rows that see nothing: 9 (0, 1, 2, 3, 4, 5, …)" in many.words(many.frames[0])


def test_nothing_is_warned_of_that_the_picture_shows(recwarn: pytest.WarningsRecorder) -> None:
    picture("~full", 3)
    assert not recwarn.list


def test_a_fallback_is_part_of_the_picture() -> None:
    assert marks(picture("~full", 2, fallback="self")) == [[V, H], [H, V]]


@pytest.mark.parametrize(("queries", "keys", "block"), [(8, 8, 4), (7, 9, 4), (5, 3, 2), (3, 3, 8)])
def test_kinds_of_blocks_are_those_of_their_cells(queries: int, keys: int, block: int) -> None:
    cells = np.random.default_rng(queries).random((queries, keys)) < 0.7
    cells[:block, :block] = True
    padded = np.zeros((-(-queries // block) * block, -(-keys // block) * block), np.bool_)
    padded[:queries, :keys] = cells
    for (row, column), kind in np.ndenumerate(kinds(cells, block)):
        part = padded[row * block : (row + 1) * block, column * block : (column + 1) * block]
        assert kind == (2 if part.all() else 1 if part.any() else 0)


def test_cells_of_an_empty_block_are_skipped() -> None:
    shown = picture("window:left=1", 4, block=2)
    skipped = shown.frames[0].marks(1, 2) == Mark.SKIPPED
    assert np.argwhere(skipped).tolist() == [[0, 2], [0, 3], [1, 2], [1, 3]]
    assert "blocks of 2: 0 full, 3 partial, 1 empty" in shown.words(shown.frames[0])


def test_cells_that_stand_for_many_say_how_many_of_them_are_visible() -> None:
    cells = np.zeros((4, 12), np.bool_)
    cells.reshape(4, 3, 4)[:1, 0] = True  # 4 of 16, 8 of 16, 15 of 16
    cells.reshape(4, 3, 4)[:2, 1] = True
    cells.reshape(4, 3, 4)[:, 2] = True
    cells[0, 11] = False
    assert Frame(cells).marks(4).tolist() == [[Mark.FEW, Mark.SOME, Mark.MOST]]
    assert Frame(np.ones((3, 5), np.bool_)).marks(2).tolist() == [[V, V, V], [V, V, V]]


def test_cells_that_stand_for_many_say_the_worst_of_them() -> None:
    seen, other = np.ones((2, 6), np.bool_), np.ones((2, 6), np.bool_)
    other[0, 0] = seen[1, 3] = other[1, 4] = seen[0, 5] = False
    assert Frame(seen, other).marks(2).tolist() == [[A, B, Mark.EACH]]
    leaks = np.zeros((2, 6), np.bool_)
    leaks[0, 2] = True
    assert Frame(seen, leaks=leaks).marks(2).tolist() == [[V, L, Mark.MOST]]


def test_pooled_counts_every_cell_once() -> None:
    cells = np.random.default_rng(0).random((13, 29)) < 0.5
    assert all(pooled(cells, side).sum() == cells.sum() for side in range(1, 31))


@pytest.mark.parametrize(
    ("length", "block", "most", "side"),
    [(200, None, 200, 1), (201, None, 200, 2), (512, 64, 200, 4), (512, 4, 100, 8), (9, 3, 4, 3)],
)
def test_a_drawn_cell_divides_a_block_or_is_made_of_blocks(
    length: int, block: int | None, most: int, side: int
) -> None:
    assert Picture((Frame(np.ones((length, length), np.bool_)),), block=block).side(most) == side


def test_a_strip_shows_m_of_t() -> None:
    made = picture("window(left=linear(0, 4))", 9, times=(0, 500, 1000), total=1000)
    assert [f.caption for f in made.frames] == ["t = 0 (0%)", "t = 500 (50%)", "t = 1000 (100%)"]
    for frame, left in zip(made.frames, (0, 2, 4), strict=True):
        assert (frame.seen == maskplug.pattern("window", left=left).dense(9)[0, 0]).all()


def test_one_time_follows_the_schedule_too() -> None:
    made = picture("window(left=linear(0, 4))", 9, t=500, total=1000)
    assert marks(made) == marks(picture("window:left=2", 9))
    assert not made.frames[0].caption


def test_texts_of_self_attention_stand_on_both_axes() -> None:
    words = ["a", "b", "c"]
    assert picture("causal", 3, queries=words).keys == ("a", "b", "c")
    assert picture("causal", 1, 3, offset=2, queries=["c"], key_texts=words).queries == ("c",)
    assert picture("full", 3, 2, attention_kind="cross", queries=words).keys is None


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ("causal", {"q_len": 0}, "a picture of 0 queries and 0 keys"),
        ("causal", {"q_len": 9000}, "a picture of 9000 queries and 9000 keys; it has from 1 to"),
        ("causal", {"block": 0}, "block is 0; it must be a whole number from 1"),
        ("padding", {"sample": 2, "valid": [[1] * 4] * 2}, "sample is 2; there are 2"),
        ("causal", {"sample": -1}, "sample is -1"),
        ("causal", {"head": 1}, "head is 1; heads is 1"),
        ("causal", {"heads": 0}, "heads is 0; it must be a whole number from 1 to 4,096"),
        ("causal", {"epoch": -1}, "epoch is -1"),
        ("causal", {"t": -1}, "time is -1; it must be a whole number from 0 upwards"),
        ("causal", {"t": 11, "total": 10}, "time is 11; it must be a whole number from 0 to 10"),
        ("causal", {"total": 0}, "total is 0"),
        ("causal", {"times": ()}, "one time or several"),
        ("causal", {"times": (1, 2), "t": 1}, "one time or several"),
        ("causal", {"progress": 1.5}, "progress is 1.5; it must be a number from 0 to 1"),
        ("causal", {"progress": 0.5, "total": 9}, "give one of them"),
        ("window(left=linear(1, 2))", {"times": (0, 1)}, "needs the length of training: give it"),
        ("causal", {"compare": "full", "within": "full"}, "'compare' or 'within', not both"),
        ("causal", {"compare": "fulll"}, "did you mean 'full'"),
        ("document", {}, "reads the layer 'documents'"),
        ("causal", {"queries": ["a"]}, "there are 1 texts for 4 queries"),
        ("causal", {"key_texts": ["a"]}, "there are 1 texts for 4 keys"),
    ],
)
def test_bad_arguments_are_named(text: str, arguments: dict[str, Any], said: str) -> None:
    lengths = {"q_len": 4} | arguments
    with pytest.raises(MaskplugError, match=re.escape(said)):
        picture(text, **lengths)


@pytest.mark.parametrize(
    ("asked", "received", "said"),
    [
        (np.ones((2, 2)), np.ones((2, 2), np.bool_), "a mask is float64 of shape (2, 2)"),
        (np.ones(2, np.bool_), np.ones(2, np.bool_), "a mask is bool of shape (2,)"),
        (np.ones((2, 2), np.bool_), np.ones((2, 3), np.bool_), "asked has the shape (2, 2) and"),
        (np.ones((0, 2), np.bool_), np.ones((0, 2), np.bool_), "at least one query"),
    ],
)
def test_masks_that_cannot_be_compared_are_named(asked: Any, received: Any, said: str) -> None:
    with pytest.raises(MaskplugError, match=re.escape(said)):
        Picture.compare(asked, received)


def test_frames_of_different_shapes_are_refused() -> None:
    frames = (Frame(np.ones((1, 2), np.bool_)), Frame(np.ones((2, 2), np.bool_)))
    with pytest.raises(MaskplugError, match="masks of one shape"):
        Picture(frames)
