"""Pictures in a terminal: the exact text, with and without colour, of any width."""

from __future__ import annotations

import inspect
import io
import re

import numpy as np
import pytest
from rich.console import Console

import maskplug
from maskplug.attention.pictures.frame import Frame, Mark
from maskplug.attention.pictures.picture import Picture
from maskplug.attention.pictures.terminal import CELLS


def shown(picture: Picture, width: int = 80) -> str:
    return picture.text(width) + "\n"


def block(text: str) -> str:
    return inspect.cleandoc(text) + "\n"


def test_blocks_and_an_empty_row() -> None:
    made = maskplug.pattern("window:left=1 & ~sink:n=1").picture(6, block=3)
    assert shown(made) == block("""
        window:left=1,right=0 & ~sink:n=1
           0      3
         0 · · · │      ∅
         1 · ██· │
         2 · ████│
           ──────┼──────
         3 · · ██│██· ·
         4 · · · │████·
         5 · · · │· ████
        visible: 25.0% (9 of 36 cells)
        rows that see nothing: 1 (0)
        blocks of 3: 0 full, 3 partial, 1 empty
        ██ visible  · hidden  blank: in an empty block  ∅ sees nothing
        """)


def test_leaks_have_a_mark_of_their_own() -> None:
    made = maskplug.pattern("causal").picture(4, documents=[0, 0, 1, 1])
    assert shown(made) == block("""
        causal
           0 1 2 3
         0 ██· · ·
         1 ████· ·
         2 !!!!██·
         3 !!!!████
        visible: 62.5% (10 of 16 cells)
        rows that see nothing: 0
        leaks: 4 (across documents)
        ██ visible  !! leak  · hidden
        """)


def test_a_difference_says_which_is_which() -> None:
    made = maskplug.pattern("window:left=1").picture(3, compare="full & ~sink:n=1")
    assert shown(made) == block("""
        A = window:left=1,right=0
        B = full & ~sink:n=1
           0 1 2
         0 AABBBB
         1 AA██BB
         2 · ████
        only A 2, only B 3, both 3, neither 1
        visible: A 55.6%; B 66.7%
        rows that see nothing: A 0; B 0
        ██ both  AA only A  BB only B  · neither
        """)


def test_a_strip_stands_abreast_where_there_is_room() -> None:
    made = maskplug.pattern("window(left=linear(0, 2))").picture(3, times=(0, 1), total=2)
    assert shown(made) == block("""
        window:left=linear(start=0.0,end=2.0),right=0
           t = 0 (0%)    t = 1 (100%)
           0 1 2         0 1 2
         0 ██· ·       0 ██· ·
         1 · ██·       1 ████·
         2 · · ██      2 ██████
        t = 0 (0%): visible: 33.3% (3 of 9 cells); rows that see nothing: 0
        t = 1 (100%): visible: 66.7% (6 of 9 cells); rows that see nothing: 0
        ██ visible  · hidden
        """)
    narrow = made.text(20).splitlines()
    assert narrow.index("   t = 1 (100%)") == narrow.index("   t = 0 (0%)") + 6


def test_tokens_stand_on_the_axes_also_wide_ones() -> None:
    texts = ["the", "猫", "  long ", "a word too long"]
    made = maskplug.pattern("causal").picture(4, queries=texts)
    assert shown(made).splitlines()[9:17] == [
        "                  l o",
        "              t   o o",
        "              h   n",
        "              e 猫g …",
        "          the ██· · ·",
        "           猫 ████· ·",
        "         long ██████·",
        " a word too … ████████",
    ]


def test_a_long_mask_is_drawn_in_larger_cells() -> None:
    made = maskplug.pattern("window:left=30").picture(512, block=64)
    text = made.text(100)
    assert max(map(len, text.splitlines())) <= 100
    assert "a cell stands for 16 × 16" in text
    assert "▒▒ 1/3 to 2/3" in text
    assert text.splitlines()[1].split() == ["0", "64", "128", "192", "256", "320", "384", "448"]


@pytest.mark.parametrize("width", [20, 37, 60, 80, 120])
@pytest.mark.parametrize(
    ("length", "size"), [(3, None), (40, None), (64, 8), (100, 7), (300, 128), (1000, None)]
)
def test_no_row_is_wider_than_the_page(width: int, length: int, size: int | None) -> None:
    made = maskplug.pattern("causal").picture(length, block=size, times=(0, 1))
    lines = made.text(width).splitlines()
    rows = [line for line in lines if re.match(r" *\d+ [█▓▒░]", line)]
    assert len(rows) >= 2
    assert max(map(len, rows)) <= max(width, 14)


def test_a_tall_mask_does_not_fill_the_screen() -> None:
    made = maskplug.pattern("full").picture(4000, 4, attention_kind="cross")
    assert len(made.text(80).splitlines()) < 210


def test_every_mark_reads_without_its_colour() -> None:
    characters = [cell for cell, _ in CELLS.values()]
    assert len(set(characters)) == len(CELLS) == len(Mark)
    assert all(len(cell) == 2 for cell in characters)


def test_rich_colours_it_and_fits_it_to_the_console() -> None:
    out = io.StringIO()
    made = maskplug.pattern("causal").picture(60)
    Console(file=out, width=50, force_terminal=True, color_system="standard").print(made)
    assert "\x1b[36m██" in out.getvalue()
    assert "a cell stands for 3 × 3" in out.getvalue()


def test_the_text_is_what_print_and_a_notebook_without_pictures_show() -> None:
    made = Picture((Frame(np.ones((1, 1), np.bool_)),), title="one")
    assert str(made) == repr(made) == made.text(100)
