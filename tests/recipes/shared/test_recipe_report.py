"""Reports of results: tables in the terminal and in pages, and curves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure

from recipes.shared import config, curves_plot, report, results
from recipes.shared.errors import RecipeError
from recipes.shared.results import Entry
from support.recipe_cases import DENOISING, RECIPE, TOML, TRANSLATION, entry, put

MARKS = "<!-- results -->\n<!-- /results -->"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project with one recipe, ``mine``, and its pages."""
    for module in (config, report):
        monkeypatch.setattr(module, "RECIPES", tmp_path)
    put(tmp_path / "mine" / "config.toml", TOML)
    put(tmp_path / "mine" / "README.md", f"# Mine\n\n{MARKS}\n\nthe end\n")
    put(tmp_path / "README.md", f"# All\n\n{MARKS}\n")
    return tmp_path


def scored(*values: float, **changes: object) -> list[Entry]:
    return [
        entry(seed=seed, metrics={"bleu": value, "chrf": value + 20}, **changes)
        for seed, value in enumerate(values, 1)
    ]


def add(folder: Path, *entries: Entry) -> None:
    for each in entries:
        results.add(folder / "mine" / "results.json", each)


def test_details_have_a_row_per_strategy_and_a_column_per_score(folder: Path) -> None:
    add(folder, *scored(10, 12), *scored(9, strategy="none"))
    assert report.details(config.load("mine")) == (
        "first, fairseq: 20 updates, 1–2 seeds, 2 minutes a run:\n\n"
        "| strategy | BLEU | chrF |\n| --- | --- | --- |\n"
        "| `none` | 9.0 | 29.0 |\n| `dynamic` | 11.0 ± 1.4 | 31.0 ± 1.4 |\n"
    )


def test_pre_training_loss_is_a_column(folder: Path) -> None:
    recipe = replace(config.load("mine"), stages=(DENOISING, TRANSLATION))
    curves = {"denoising": [[10, 3.456], [20, 2.345]], "translation": [[10, 5.0]]}
    add(folder, entry(curves=curves), entry(strategy="none"))
    head, _, *rows = report.details(recipe).splitlines()[2:]
    assert head == "| strategy | denoising loss | BLEU | chrF |"
    assert rows == ["| `none` | – | 10.0 | 30.0 |", "| `dynamic` | 2.35 | 10.0 | 30.0 |"]


def test_each_corpus_and_framework_has_a_table(folder: Path) -> None:
    add(folder, *scored(10), *scored(20, framework="huggingface"), *scored(30, corpus="second"))
    actual = report.details(config.load("mine"))
    assert [line for line in actual.splitlines() if line.endswith(":")] == [
        f"{kind}: 20 updates, 1 seed, 2 minutes a run:"
        for kind in ("first, fairseq", "first, huggingface", "second, fairseq")
    ]


def test_overview_has_a_row_per_corpus_and_framework(folder: Path) -> None:
    add(folder, *scored(10, 12), *scored(9, strategy="none"), *scored(11, strategy="span"))
    add(folder, *scored(9.5, 12.5, strategy="static"))
    head, _, *rows = report.overview().splitlines()
    assert head.startswith("| recipe | corpus | framework | score | none | static | dynamic | ")
    assert "| dynamic | dynamic − none | dynamic − static | from the literature | " in head
    assert rows == [
        "| [mine](mine/README.md) | first | fairseq | BLEU | 9.0 | 11.0 ± 2.1 | 11.0 ± 1.4 | "
        "+1.0 | +0.0 ± 0.7 | span 11.0 | 1–2 | 20 |"
    ]


def test_missing_results_are_reported(folder: Path) -> None:
    assert report.details(config.load("mine")) == "No results yet.\n"
    assert report.overview() == "No results yet.\n"
    report.publish(["mine"])
    assert "<!-- results -->\n\nNo results yet.\n\n<!-- /results -->" in (
        (folder / "mine" / "README.md").read_text()
    )
    assert not (folder / "mine" / "curves.png").exists()


def test_publish_updates_pages_and_curves(folder: Path) -> None:
    add(folder, *scored(10))
    report.publish(["mine"])
    page, first = folder / "mine" / "README.md", (folder / "mine" / "README.md").read_text()
    assert first.startswith("# Mine\n\n<!-- results -->\n\nfirst, fairseq")
    assert first.endswith("|\n\n<!-- /results -->\n\nthe end\n")
    assert (folder / "mine" / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert "| [mine](mine/README.md) | first |" in (folder / "README.md").read_text()
    add(folder, *scored(13, strategy="none"))
    report.publish(["mine"])
    assert page.read_text().count("| strategy |") == 1  # replaces the former table
    assert "| `none` | 13.0 |" in page.read_text()


def test_any_text_can_be_written_between_the_marks(tmp_path: Path) -> None:
    page = put(tmp_path / "page.md", f"a\n{MARKS}\nb\n")
    for _ in range(2):
        report.into(page, r"\1 \g<0> {x} $1")
        assert page.read_text() == (
            "a\n<!-- results -->\n\n\\1 \\g<0> {x} $1\n<!-- /results -->\nb\n"
        )


@pytest.mark.parametrize("text", ["no marks", "<!-- results -->\n", "<!-- /results -->", ""])
def test_a_page_without_marks_is_an_error_and_stays_unchanged(tmp_path: Path, text: str) -> None:
    page = put(tmp_path / "page.md", text)
    with pytest.raises(RecipeError, match=r"page\.md has no marks for results: <!-- results -->"):
        report.into(page, "new")
    assert page.read_text() == text
    with pytest.raises(RecipeError, match=r"nowhere\.md: no such file"):
        report.into(tmp_path / "nowhere.md", "new")


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("bleu", "BLEU"), ("chrf", "chrF"), ("rouge1", "ROUGE-1"), ("rougeL", "ROUGE-L"),
        ("macro_f1", "macro-F1"), ("accuracy", "accuracy"), ("bleu@3", "BLEU, k = 3"),
        ("al@9", "AL, k = 9"), ("comet", "comet"),
    ],
)  # fmt: skip
def test_scores_have_their_usual_names(metric: str, message: str) -> None:
    assert report.title(metric) == message


def test_show_prints_the_same_values(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add(folder, *scored(10, 12), *scored(9, strategy="none"))
    report.show(folder / "mine" / "results.json")
    shown = capsys.readouterr().out
    assert "first, fairseq: 20 updates, 1–2 seeds, 2 minutes a run" in shown
    row = next(line for line in shown.splitlines() if "dynamic" in line)
    assert [cell.strip() for cell in row.strip("│").split("│")] == [
        "dynamic", "11.0 ± 1.4", "31.0 ± 1.4"
    ]  # fmt: skip
    assert f"results are in {folder}/mine/results.json" in shown


CURVES: dict[str, list[Entry]] = {
    "stages, strategies and frameworks": [
        *scored(1, curves={"denoising": [[10, 3.0]], "translation": [[10, 3.0], [20, 2.0]]}),
        *scored(1, strategy="none", curves={"translation": [[10, 3.0], [30, 2.0]]}),
        *scored(2, framework="huggingface", strategy="custom"),
    ],
    "seeds at other updates": [
        entry(seed=1, curves={"translation": [[10, 3.0], [20, 2.0]]}),
        entry(seed=2, curves={"translation": [[10, 3.5], [25, 1.0]]}),
    ],
    "no points": [entry(curves={"translation": []})],
    "no number": [entry(curves={"translation": [[10, float("nan")], [20, 1.0]]})],
}


@pytest.mark.parametrize("name", CURVES)
def test_equal_results_give_equal_pictures(tmp_path: Path, name: str) -> None:
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path in paths:
        curves_plot.draw(RECIPE, CURVES[name], path)
    data = paths[0].read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert data.endswith(b"IEND\xaeB`\x82")
    assert data == paths[1].read_bytes()


@pytest.mark.parametrize("name", config.names())
def test_the_title_fits_over_one_panel(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Figure] = []
    monkeypatch.setattr(pyplot, "close", drawn.append)
    curves_plot.draw(config.load(name), [entry()], tmp_path / "curves.png")
    title = drawn[0].texts[0].get_window_extent()
    assert 0 <= title.x0 < title.x1 <= drawn[0].bbox.width
    monkeypatch.undo()
    pyplot.close(drawn[0])
