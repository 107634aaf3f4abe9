"""Pictures of masks: marks and counts, text for terminals, and error messages."""

from __future__ import annotations

import inspect
import io
import re
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import maskplug
from maskplug.errors import MaskplugError
from maskplug.viz import figure as figures
from maskplug.viz.frame import Frame, Mark, pooled
from maskplug.viz.picture import Picture
from support.pictures import picture, texts

V, H, L = Mark.VISIBLE, Mark.HIDDEN, Mark.LEAK
A, B = Mark.FIRST, Mark.SECOND


def marks(picture: Picture) -> list[list[int]]:
    return picture.frames[0].marks().tolist()


def statistics(picture: Picture) -> list[str]:
    return picture.statistics(picture.frames[0])


def drawn(picture: Picture) -> list[Any]:
    """Return the marks that the images of a figure show."""
    by_colour = {colour: mark for mark, colour in picture.colours.items()}
    images = [axes.images[0].get_array() for axes in figures.figure(picture).axes]
    pixels = [np.round(np.asarray(image) * 255).astype(int) for image in images]
    return [
        np.array([[by_colour["#{:02x}{:02x}{:02x}".format(*p)] for p in row] for row in image])
        for image in pixels
    ]


def test_sample_and_head_are_selected() -> None:
    second = picture("document", 3, documents=[[1, 1, 2], [1, 2, 2]], sample=1)
    assert marks(second) == [[V, H, H], [H, V, V], [H, V, V]]
    masks = np.zeros((2, 3, 4, 4), np.bool_)
    masks[1, 2, 0, 3] = True
    selected = Picture.compare(masks, masks, sample=1, head=2)
    assert np.argwhere(selected.frames[0].visible).tolist() == [[0, 3]]


def test_comparison_of_two_patterns() -> None:
    both = picture("window:left=1", 3, compare="full & ~sink:n=1")
    assert marks(both) == [[A, B, B], [A, V, B], [H, V, V]]
    assert both.text() == inspect.cleandoc("""
        A = window:left=1,right=0
        B = full & ~sink:n=1
           0 1 2
         0 AABBBB
         1 AA██BB
         2 · ████
        only A 2, only B 3, both 3, neither 1
        visible: A 55.6%; B 66.7%
        empty rows: A 0; B 0
        ██ both  AA only A  BB only B  · neither""")
    assert (drawn(both)[0] == marks(both)).all()
    assert {"only A", "only B", "both", "neither"} <= set(texts(both))


def test_comparison_of_requested_and_received_masks() -> None:
    asked = maskplug.pattern("document").dense(4, documents=[0, 0, 1, 1])
    received = np.ones((1, 1, 4, 4), np.bool_)
    both = Picture.compare(asked, received, block=2, title="layer 3")
    assert marks(both) == [[V, V, B, B], [V, V, B, B], [B, B, V, V], [B, B, V, V]]
    assert statistics(both) == [
        "only asked 0, only received 8, both 8, neither 0",
        "visible: asked 50.0%; received 100.0%",
        "empty rows: asked 0; received 0",
        "blocks of 2: asked 2 full, 0 partial, 2 empty; received 4 full, 0 partial, 0 empty",
    ]


def test_leaks_within_another_pattern() -> None:
    leaking = picture("window:left=1,right=1", 3, within="causal")
    assert marks(leaking) == [[V, L, H], [V, V, L], [H, V, V]]
    assert "leaks: 2 (beyond causal)" in statistics(leaking)


def test_leaks_across_documents_and_to_padding() -> None:
    annotations = {"documents": [0, 0, 1, 1], "valid": [1, 1, 1, 0]}
    leaking = picture("causal", 4, **annotations)
    assert marks(leaking) == [[V, H, H, H], [V, V, H, H], [L, L, V, H], [V, V, V, V]]
    assert "leaks: 2 (across documents, to padding)" in statistics(leaking)
    assert "\n 2 !!!!██·\n" in leaking.text()
    assert "!! leak" in leaking.text()
    # Rows of padding are ignored, on either side.
    assert marks(picture("full", 2, valid=[1, 0])) == [[V, L], [V, V]]
    assert marks(picture("full", 2, valid=[0, 1])) == [[V, V], [L, V]]
    tight = picture("causal & document & padding", 4, **annotations)
    assert tight.frames[0].leaks is not None
    assert not tight.frames[0].leaks.any()


def test_leaks_in_cross_attention() -> None:
    cross: dict[str, Any] = {"attention_kind": "cross"}
    documents = {"documents": [0, 0, 1], "query_documents": [0, 1]}
    assert marks(picture("full", 2, 3, **cross, **documents)) == [[V, V, L], [L, L, V]]
    padded = picture("full", 2, 3, **cross, valid=[1, 1, 0], valid_queries=[1, 0])
    assert marks(padded) == [[V, V, L], [V, V, V]]
    assert picture("full", 2, 3, **cross, documents=[0, 0, 1]).frames[0].leaks is None


def test_empty_rows_are_counted_without_padding(recwarn: pytest.WarningsRecorder) -> None:
    empty = picture("causal & ~sink:n=2", 4)
    assert empty.frames[0].empty.tolist() == [True, True, False, False]
    assert "empty rows: 2 (0, 1)" in statistics(empty)
    assert "∅ empty row" in texts(empty)
    assert not picture("causal & padding", 4, valid=[0, 0, 1, 1]).frames[0].empty.any()
    left = picture("~full", 3, valid=[0, 1, 1], times=(0, 1), fallback=None)
    assert [frame.empty.tolist() for frame in left.frames] == [[False, True, True]] * 2
    assert "empty rows: 9 (0, 1, 2, 3, 4, 5, …)" in statistics(picture("~full", 9))
    assert marks(picture("~full", 2, fallback="self")) == [[V, H], [H, V]]
    assert not recwarn.list  # the picture shows them, no warning is needed


def test_blocks_and_empty_rows_in_a_terminal() -> None:
    assert picture("window:left=1 & ~sink:n=1", 6, block=3).text(80) == inspect.cleandoc("""
        window:left=1,right=0 & ~sink:n=1
           0      3
         0 · · · │· · · ∅
         1 · ██· │· · ·
         2 · ████│· · ·
           ──────┼──────
         3 · · ██│██· ·
         4 · · · │████·
         5 · · · │· ████
        visible: 25.0% (9 of 36 cells)
        empty rows: 1 (0)
        blocks of 3: 0 full, 3 partial, 1 empty
        ██ visible  · hidden  ∅ empty row""")


def test_cells_that_stand_for_many() -> None:
    cells = np.zeros((4, 12), np.bool_)
    cells.reshape(4, 3, 4)[:1, 0] = True  # 4 of 16, 8 of 16, 15 of 16
    cells.reshape(4, 3, 4)[:2, 1] = True
    cells.reshape(4, 3, 4)[:, 2] = True
    cells[0, 11] = False
    frame = Frame(cells)
    assert frame.marks(4).tolist() == [[Mark.FEW, Mark.SOME, Mark.MOST]]
    assert pooled(np.ones((3, 5), np.bool_), 2).tolist() == [[4, 4, 2], [2, 2, 1]]
    other = Frame(np.eye(4, dtype=bool), np.eye(4, dtype=bool)[::-1])
    assert other.marks(2).tolist() == [[A, B], [B, A]]
    assert Frame(np.eye(4, dtype=bool), ~np.eye(4, dtype=bool)).marks(4).tolist() == [[Mark.EACH]]
    leaks = np.zeros((4, 4), np.bool_)
    leaks[3, 0] = True
    assert Frame(np.ones((4, 4), np.bool_), leaks=leaks).marks(2).tolist() == [[V, V], [L, V]]


def test_a_long_mask_is_drawn_in_larger_cells() -> None:
    long = picture("window:left=30", 512, block=64)
    text = long.text(100)
    assert max(map(len, text.splitlines())) <= 100
    assert "a cell stands for 16 × 16" in text
    assert "▒▒ 1/3 to 2/3" in text
    assert text.splitlines()[1].split() == ["0", "64", "128", "192", "256", "320", "384", "448"]
    assert (drawn(long)[0] == long.frames[0].marks(4)).all()
    assert "a cell stands for 4 × 4" in texts(long)


def test_several_times_side_by_side() -> None:
    strip = picture("window(left=linear(0, 2))", 3, times=(0, 1), total=2)
    assert strip.text(80) == inspect.cleandoc("""
        window:left=linear(start=0.0,end=2.0),right=0
           t = 0 (0%)    t = 1 (100%)
           0 1 2         0 1 2
         0 ██· ·       0 ██· ·
         1 · ██·       1 ████·
         2 · · ██      2 ██████
        t = 0 (0%): visible: 33.3% (3 of 9 cells); empty rows: 0
        t = 1 (100%): visible: 66.7% (6 of 9 cells); empty rows: 0
        ██ visible  · hidden""")
    narrow = strip.text(20).splitlines()
    assert narrow.index("   t = 1 (100%)") == narrow.index("   t = 0 (0%)") + 6


def test_masks_at_several_times_follow_the_schedule() -> None:
    strip = picture("window(left=linear(0, 4))", 9, times=(0, 500, 1000), total=1000)
    captions = ["t = 0 (0%)", "t = 500 (50%)", "t = 1000 (100%)"]
    assert [frame.caption for frame in strip.frames] == captions
    for frame, image, left in zip(strip.frames, drawn(strip), (0, 2, 4), strict=True):
        assert (frame.visible == maskplug.pattern("window", left=left).dense(9)[0, 0]).all()
        assert (image == frame.marks()).all()
    axes = figures.figure(strip).axes
    assert [each.get_title(loc="left") for each in axes] == captions
    single = picture("window(left=linear(0, 4))", 9, t=500, total=1000)
    assert marks(single) == marks(picture("window:left=2", 9))
    assert not single.frames[0].caption


def test_the_epoch_is_the_time_unless_it_is_given() -> None:
    for more, differ in (({}, True), ({"epoch": 0}, False)):
        strip = picture("random(rate=0.5, clock=epoch)", 9, times=(0, 1, 2), **more)
        first, *others = (frame.visible.tolist() for frame in strip.frames)
        assert any(other != first for other in others) is differ


def test_texts_on_the_axes() -> None:
    words = ["the", "猫", "  long ", "a word too long"]
    assert picture("causal", 4, queries=words).text(80).splitlines()[9:17] == [
        "                  l o",
        "              t   o o",
        "              h   n",
        "              e 猫g …",
        "          the ██· · ·",
        "           猫 ████· ·",
        "         long ██████·",
        " a word too … ████████",
    ]
    assert picture("causal", 3, queries=["a", "b", "c"]).keys == ["a", "b", "c"]
    cached = picture("causal", 1, 3, offset=2, queries=["c"], key_texts=["a", "b", "c"])
    assert cached.queries == ["c"]
    assert picture("full", 3, 2, attention_kind="cross", queries=["a", "b", "c"]).keys is None


def test_a_period_longer_than_the_picture_is_noted() -> None:
    note = "option 'block' of BigBird is at least the length of this picture, 16 keys"
    assert note in picture("bigbird", 16).text()
    assert note in picture("full | ~bigbird(block=linear(16, 32))", 16).text()
    assert "note:" not in picture("bigbird:block=2", 16).text()


@pytest.mark.parametrize("width", [20, 37, 80, 120])
@pytest.mark.parametrize(
    ("length", "size"), [(3, None), (40, None), (64, 8), (100, 7), (300, 128), (1000, None)]
)
def test_rows_fit_the_page(width: int, length: int, size: int | None) -> None:
    lines = picture("causal", length, block=size, times=(0, 1)).text(width).splitlines()
    rows = [line for line in lines if re.match(r" *\d+ [█▓▒░]", line)]
    assert len(rows) >= 2
    assert max(map(len, rows)) <= max(width, 14)


def test_tall_masks_are_shortened() -> None:
    tall = picture("full", 4000, 4, attention_kind="cross")
    assert len(tall.text(80).splitlines()) < 210


def test_rich_adds_colour_and_uses_the_console_s_width() -> None:
    out = io.StringIO()
    console = Console(file=out, width=50, force_terminal=True, color_system="standard")
    console.print(picture("causal", 60))
    assert "\x1b[36m██" in out.getvalue()
    assert "a cell stands for 3 × 3" in out.getvalue()


def test_str_and_repr_are_the_text() -> None:
    single = Picture((Frame(np.ones((1, 1), np.bool_)),), title="one")
    assert str(single) == repr(single) == single.text(100)


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        ("causal", {"q_len": 0}, "a picture of 0 queries and 0 keys"),
        ("causal", {"q_len": 9000}, "a picture of 9000 queries and 9000 keys; it must have from 1"),
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
        ("causal", {"compare": "full", "within": "full"}, "'compare' and 'within' cannot be"),
        ("causal", {"compare": "fulll"}, "did you mean 'full'"),
        ("document", {}, "needs the annotation 'documents'"),
        ("causal", {"queries": ["a"]}, "got 1 texts for 4 queries"),
        ("causal", {"key_texts": ["a"]}, "got 1 texts for 4 keys"),
    ],
)
def test_wrong_arguments(text: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(MaskplugError, match=re.escape(message)):
        picture(text, **({"q_len": 4} | arguments))


@pytest.mark.parametrize(
    ("asked", "received", "message"),
    [
        (np.ones((2, 2)), np.ones((2, 2), np.bool_), "a mask is float64 of shape (2, 2)"),
        (np.ones(2, np.bool_), np.ones(2, np.bool_), "a mask is bool of shape (2,)"),
        (np.ones((2, 2), np.bool_), np.ones((2, 3), np.bool_), "asked has shape (2, 2) and"),
        (np.ones((0, 2), np.bool_), np.ones((0, 2), np.bool_), "at least one query"),
    ],
)
def test_masks_that_cannot_be_compared(asked: Any, received: Any, message: str) -> None:
    with pytest.raises(MaskplugError, match=re.escape(message)):
        Picture.compare(asked, received)


def test_frames_of_different_shapes_are_refused() -> None:
    frames = (Frame(np.ones((1, 2), np.bool_)), Frame(np.ones((2, 2), np.bool_)))
    with pytest.raises(MaskplugError, match="masks of the same shape"):
        Picture(frames)
