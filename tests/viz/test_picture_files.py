"""Pictures as files and in notebooks."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import maskplug
from maskplug.attention import AttentionCall, Intervals, Pattern
from maskplug.errors import MaskplugError, OptionError, PluginError
from maskplug.viz import figure as figures
from maskplug.viz.frame import LOOKS, Mark
from support.pictures import picture, texts


def test_blocks_in_a_file_are_outlined() -> None:
    causal = picture("causal", 8, block=4)
    outlines = figures.figure(causal).axes[0].patches
    assert [patch.get_linestyle() == "-" for patch in outlines] == [False, True, False]
    assert {"full block", "partial block"} <= set(texts(causal))


def test_texts_in_a_file() -> None:
    words = ["猫", "$a_1$", "<mask>", "averyveryverylongtoken", "\x00\n\ud800"]
    labels = texts(picture("causal", 5, queries=words))
    for word in ("猫", "$a_1$", "<mask>", "averyveryverylo…", "� �"):
        assert labels.count(word) == 2


def test_long_titles_break_at_commas() -> None:
    text = "bigbird:block=1,window=3,global_blocks=1,random=3,per_head=true | sink:n=2"
    lines = [line for line in texts(picture(text, 12)) if line in str(maskplug.pattern(text))]
    title = [line for line in lines if "=" in line]
    assert len(title) > 1
    assert all(line.endswith((",", "|")) for line in title[:-1])


@pytest.mark.parametrize("length", [8, 24, 100, 512])
@pytest.mark.parametrize("tokens", [False, True])
def test_labels_in_a_file_do_not_overlap(length: int, tokens: bool) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    words = [f"token{i}" for i in range(length)] if tokens else None
    sheet = picture("causal", length, queries=words, times=(0, 1))
    drawing = figures.figure(sheet)
    canvas = FigureCanvasAgg(drawing)
    drawing.draw(canvas.get_renderer())
    labels = []
    for axis in (axis for axes in drawing.axes for axis in (axes.xaxis, axes.yaxis)):
        ticks = zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
        labels += [axis.label, *(text for at, text in ticks if -0.5 <= at < length)]
    spaces = [text.get_window_extent(canvas.get_renderer()) for text in labels]
    for number, space in enumerate(spaces):
        assert not any(space.shrunk(0.98, 0.98).overlaps(o) for o in spaces[number + 1 :])


@pytest.mark.parametrize(
    ("ending", "starts"), [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".PDF", b"%PDF")]
)
def test_files_are_written_and_reproducible(tmp_path: Path, ending: str, starts: bytes) -> None:
    causal, path = picture("causal", 8), tmp_path / f"mask{ending}"
    causal.save(path)
    assert path.read_bytes().startswith(starts)
    causal.save(tmp_path / f"again{ending}")
    assert path.read_bytes() == (tmp_path / f"again{ending}").read_bytes()


def test_wrong_endings_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"use \.svg, \.png, \.pdf"):
        picture("causal", 3).save(tmp_path / "mask.doc")
    with pytest.raises(OptionError, match="cannot be written: No such file"):
        picture("causal", 3).save(tmp_path / "nowhere" / "mask.svg")


def test_marks_differ_without_colour() -> None:
    assert len({look.text for look in LOOKS.values()}) == len(LOOKS) == len(Mark)
    assert all(len(look.text) == 2 for look in LOOKS.values())
    one = [look.colour for mark, look in LOOKS.items() if mark < Mark.FIRST]
    two = [look.agreed or look.colour for mark, look in LOOKS.items() if mark != Mark.LEAK]
    for colours in (one, two):
        assert len({_grey(colour) // 12 for colour in colours}) == len(colours)


def _grey(colour: str) -> int:
    red, green, blue = bytes.fromhex(colour[1:])
    return round(0.299 * red + 0.587 * green + 0.114 * blue)


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(figures, "find_spec", lambda name: None)
    with pytest.raises(PluginError, match=r"pip install 'maskplug\[viz\]'"):
        picture("causal", 3).save(tmp_path / "mask.svg")
    assert picture("causal", 3)._repr_svg_() is None


def test_figures_do_not_affect_a_program_s_plots() -> None:
    code = (
        "import sys, maskplug; from maskplug.viz.pattern import picture\n"
        "causal = picture(maskplug.pattern('causal'), 4); text = str(causal)\n"
        "assert 'matplotlib' not in sys.modules\n"
        "from matplotlib import rcParams; before = rcParams['font.size'], rcParams['font.family']\n"
        "causal._repr_svg_()\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "assert (rcParams['font.size'], rcParams['font.family']) == before\n"
    )
    subprocess.run([sys.executable, "-W", "error::UserWarning", "-c", code], check=True)


@dataclass(frozen=True)
class OnlyCross(Pattern):
    def rows(self, call: AttentionCall) -> Intervals:
        if not call.cross:
            raise OptionError("pattern 'only_cross' is for cross attention")
        return call.intervals((0, 1))


def test_notebooks_show_patterns() -> None:
    still = texts(maskplug.pattern("window:left=3"))
    assert "visible: 15.6% (90 of 576 cells)" in still
    moving = texts(maskplug.pattern("window(left=linear(0, 23))"))
    assert {"t = 0", "t = 50", "t = 100", "visible: 52.1% (300 of 576 cells)"} <= set(moving)
    assert "t = 2" in texts(maskplug.pattern("random"))
    assert "visible: 4.2% (24 of 576 cells)" in texts(OnlyCross())


def test_notebooks_show_patterns_that_need_annotations_as_text() -> None:
    documents = maskplug.pattern("document & causal")
    assert documents._repr_svg_() is None
    with pytest.raises(MaskplugError, match="documents"):
        picture("document & causal", 4)
