"""Pictures as files and in notebooks: well-formed, countable, and the same every time."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import maskplug
from maskplug.attention import AttentionCall, Intervals, Pattern, Picture
from maskplug.attention.pictures import figure as figures
from maskplug.attention.pictures.frame import Mark
from maskplug.attention.pictures.paint import LOOKS, looks
from maskplug.errors import MaskplugError, OptionError, PluginError

SVG = "{http://www.w3.org/2000/svg}"


def picture(text: str, *lengths: int, **more: Any) -> Picture:
    return maskplug.pattern(text).picture(*lengths, **more)


def svg(made: Picture) -> ElementTree.Element:
    text = made._repr_svg_()
    assert text is not None
    return ElementTree.fromstring(text)


def boxes(root: ElementTree.Element, gid: str) -> int:
    """How many boxes the group of this id holds."""
    groups = [group for group in root.iter(f"{SVG}g") if group.get("id") == gid]
    assert len(groups) <= 1, "ids are unique"
    return sum(path.get("d", "").count("z") for group in groups for path in group)


def texts(root: ElementTree.Element) -> list[str]:
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]


def cells(root: ElementTree.Element, gid: str, unit: float) -> int:
    """How many cells of this width the boxes of a group cover."""
    paths = [p.get("d", "") for g in root.iter(f"{SVG}g") if g.get("id") == gid for p in g]
    wide = [
        max(corners) - min(corners)
        for box in "".join(paths).split("z")
        if (corners := [float(x) for x in re.findall(r"[ML] (\S+)", box)])
    ]
    return int(sum(round(width / unit) for width in wide))


@pytest.mark.parametrize("length", [1, 24])
def test_a_file_holds_every_visible_and_every_hidden_cell(length: int) -> None:
    root = svg(picture("window:left=4", length))
    visible = int(maskplug.pattern("window:left=4").dense(length).sum())
    assert boxes(root, "visible-0") == visible
    assert boxes(root, "hidden-0") == length * length - visible


def test_small_cells_are_joined_to_runs_and_none_is_lost() -> None:
    made = picture("window:left=9 | ~window:left=60,right=60", 199)
    root, frame = svg(made), made.frames[0]
    unit = 5.6 * 72 / 199
    assert cells(root, "visible-0", unit) == frame.seen.sum()
    assert cells(root, "hidden-0", unit) == (~frame.seen).sum()
    assert boxes(root, "visible-0") < 600


def test_leaks_empty_rows_and_blocks_are_groups() -> None:
    made = picture("causal & ~sink:n=2", 8, block=4, within="window:left=3")
    root, frame = svg(made), made.frames[0]
    assert frame.leaks is not None
    assert boxes(root, "leak-0") == frame.leaks.sum() > 0
    assert boxes(root, "visible-0") == frame.seen.sum() - frame.leaks.sum()
    assert boxes(root, "empty-0") == 2
    assert (boxes(root, "full-0"), boxes(root, "partial-0")) == (0, 3)
    assert boxes(root, "skipped-0") == 16


def test_full_blocks_are_told_from_partial_ones() -> None:
    root = svg(picture("causal", 8, block=4))
    assert (boxes(root, "full-0"), boxes(root, "partial-0")) == (1, 2)
    assert {"full block", "partial block"} <= set(texts(root))


def test_a_difference_is_four_groups() -> None:
    root = svg(picture("window:left=1", 3, compare="full & ~sink:n=1"))
    counts = [boxes(root, f"{name}-0") for name in ("first", "second", "visible", "hidden")]
    assert counts == [2, 3, 3, 1]
    assert {"only A", "only B", "both", "neither"} <= set(texts(root))


def test_a_strip_has_a_frame_a_time_all_of_one_size() -> None:
    made = picture("window(left=linear(0, 4))", 12, times=(0, 5, 10), total=10)
    drawn = figures.figure(made)
    assert [axes.get_title(loc="left") for axes in drawn.axes] == [f.caption for f in made.frames]
    places = np.array([axes.get_position().bounds for axes in drawn.axes])
    assert np.ptp(places[:, 1:], axis=0) == pytest.approx(0)
    assert [boxes(svg(made), f"visible-{i}") for i in range(3)] == [
        frame.seen.sum() for frame in made.frames
    ]


def test_a_long_mask_is_drawn_in_larger_cells_and_says_so() -> None:
    made = picture("window:left=40", 512, block=64)
    root, unit = svg(made), 5.6 * 72 / 128
    marks = made.frames[0].marks(4, 64)
    assert marks.shape == (128, 128)
    for mark, look in LOOKS.items():
        assert cells(root, f"{look.name}-0", unit) == (marks == mark).sum()
    assert boxes(root, "partial-0") == 15
    assert "a cell stands for 4 × 4" in texts(root)


def test_tokens_are_text_in_the_file() -> None:
    words = ["猫", "$a_1$", "<mask>", "averyveryverylongtoken", "\x00\n\ud800"]
    found = texts(svg(picture("causal", 5, queries=words)))
    for word in ("猫", "$a_1$", "<mask>", "averyveryverylo…", "� �"):
        assert found.count(word) == 2


@pytest.mark.parametrize("length", [8, 24, 48, 100, 512])
@pytest.mark.parametrize("tokens", [False, True])
def test_no_labels_overlap(length: int, tokens: bool) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    words = [f"token{i}" for i in range(length)] if tokens else None
    drawn = figures.figure(picture("causal", length, queries=words, times=(0, 1)))
    renderer = FigureCanvasAgg(drawn).get_renderer()
    drawn.draw(renderer)
    labels = [
        text
        for axes in drawn.axes
        for axis in (axes.xaxis, axes.yaxis)
        for text in [*axis.get_ticklabels(), axis.label]
        if text.get_text()
    ]
    spaces = [text.get_window_extent(renderer) for text in [*labels, *drawn.texts]]
    for number, space in enumerate(spaces):
        assert not any(space.shrunk(0.98, 0.98).overlaps(o) for o in spaces[number + 1 :])


@pytest.mark.parametrize(
    ("ending", "starts"), [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".PDF", b"%PDF")]
)
def test_a_file_is_written_by_its_ending(tmp_path: Path, ending: str, starts: bytes) -> None:
    made, path = picture("causal", 8), tmp_path / f"mask{ending}"
    made.save(path)
    assert path.read_bytes().startswith(starts)
    made.save(tmp_path / f"again{ending}")
    assert path.read_bytes() == (tmp_path / f"again{ending}").read_bytes()


def test_wrong_endings_and_places_are_named(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"ends with \.svg, \.png, \.pdf"):
        picture("causal", 3).save(tmp_path / "mask.doc")
    with pytest.raises(OptionError, match="cannot be written: No such file"):
        picture("causal", 3).save(tmp_path / "nowhere" / "mask.svg")


def test_marks_differ_without_colour() -> None:
    for given in (LOOKS, looks(picture("causal", 2, compare="full"))):
        told = [(_grey(look.colour) // 12, look.strokes) for look in given.values()]
        assert len(set(told)) == len(Mark)


def _grey(colour: str) -> int:
    red, green, blue = bytes.fromhex(colour[1:])
    return round(0.299 * red + 0.587 * green + 0.114 * blue)


def test_without_matplotlib_files_are_refused_and_notebooks_show_text(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(figures, "find_spec", lambda name: None)
    with pytest.raises(PluginError, match=r"pip install 'maskplug\[viz\]'"):
        picture("causal", 3).save(tmp_path / "mask.svg")
    assert picture("causal", 3)._repr_svg_() is None


def test_pictures_leave_the_plots_of_a_program_alone() -> None:
    code = (
        "import sys, maskplug\n"
        "made = maskplug.pattern('causal').picture(4); text = str(made)\n"
        "assert 'matplotlib' not in sys.modules\n"
        "from matplotlib import rcParams; before = rcParams['font.size'], rcParams['font.family']\n"
        "made._repr_svg_()\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "assert (rcParams['font.size'], rcParams['font.family']) == before\n"
    )
    subprocess.run([sys.executable, "-W", "error::UserWarning", "-c", code], check=True)


def test_a_pattern_shows_itself_in_a_notebook() -> None:
    still = maskplug.pattern("window:left=3")._repr_svg_()
    assert still is not None
    assert boxes(ElementTree.fromstring(still), "visible-0") == 4 * 24 - 6
    moving = maskplug.pattern("window(left=linear(0, 23))")._repr_svg_()
    assert moving is not None
    assert boxes(ElementTree.fromstring(moving), "visible-2") == 300


@dataclass(frozen=True)
class OnlyCross(Pattern):
    def rows(self, site: AttentionCall) -> Intervals:
        if not site.cross:
            raise OptionError("pattern 'only_cross' is for cross attention")
        return site.intervals((0, 1))


def test_a_pattern_for_cross_attention_only_shows_itself_too() -> None:
    made = OnlyCross()._repr_svg_()
    assert made is not None
    assert boxes(ElementTree.fromstring(made), "visible-0") == 24


def test_a_pattern_that_needs_layers_shows_its_text_in_a_notebook() -> None:
    made = maskplug.pattern("document & causal")
    assert made._repr_svg_() is None
    with pytest.raises(MaskplugError, match="documents"):
        made.picture(4)
