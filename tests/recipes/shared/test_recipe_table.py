"""Means and standard deviations over seeds."""

from __future__ import annotations

import pytest

from recipes.shared.table import Cell, Group, groups
from support.recipe_cases import entry


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((), "–"),
        ((12.34,), "12.3"),
        ((1.0, 2.0, 4.5), "2.5 ± 1.8"),  # sqrt((1.5² + 0.5² + 2²) / 2)
        ((3.0, 3.0), "3.0 ± 0.0"),
        ((-0.04,), "0.0"),
    ],
)
def test_a_cell_shows_mean_and_sample_deviation(values: tuple[float, ...], message: str) -> None:
    assert str(Cell(values)) == message


def test_one_seed_has_no_deviation() -> None:
    assert Cell((1.0,)).deviation is None
    assert Cell((1.0, 3.0)).deviation == pytest.approx(2**0.5)


def test_runs_are_grouped_by_corpus_and_framework() -> None:
    kinds = [("b", "fairseq"), ("a", "huggingface"), ("b", "fairseq"), ("b", "huggingface")]
    actual = groups([entry(corpus=corpus, framework=framework) for corpus, framework in kinds])
    assert [(group.corpus, group.framework, len(group.entries)) for group in actual] == [
        ("b", "fairseq", 2), ("a", "huggingface", 1), ("b", "huggingface", 1)
    ]  # fmt: skip


GROUP = Group(
    "first",
    "fairseq",
    (
        entry(strategy="span", metrics={"bleu": 10.0}, seconds=60),
        entry(strategy="none", metrics={"bleu": 20.0}, seconds=60),
        entry(strategy="none", metrics={"bleu": 22.0, "chrf": None}, seed=2, seconds=240),
        entry(strategy="own", metrics={"chrf": 50.0}, updates=1500),
    ),
)


def test_missing_scores_are_left_out() -> None:
    assert GROUP.cell("none", "bleu").values == (20.0, 22.0)
    assert str(GROUP.cell("none", "chrf")) == str(GROUP.cell("nobody", "bleu")) == "–"
    assert GROUP.metrics() == ["bleu", "chrf"]


def test_stage_loss_is_that_of_the_best_checkpoint() -> None:
    curves: list[dict[str, list[list[float]]]] = [
        {"denoising": [[10, 3.0], [20, 2.5], [30, 2.75]]}, {"denoising": [[10, 2.0]]},
        {"translation": [[10, 1.0]]}, {"denoising": []},
    ]  # fmt: skip
    entries = [entry(seed=seed, curves=curve) for seed, curve in enumerate(curves)]
    group = Group("first", "fairseq", tuple(entries))
    assert group.loss("dynamic", "denoising").values == (2.5, 2.0)
    assert group.loss("dynamic", "denoising").text(digits=2) == "2.25 ± 0.35"
    assert group.loss("none", "denoising").text(digits=2) == "–"


def test_gain_uses_the_common_seeds() -> None:
    scores = {"static": (1.0, 5.0, 2.0), "dynamic": (2.0, 7.0)}
    entries = [
        entry(strategy=name, seed=seed, metrics={"bleu": value})
        for name, values in scores.items()
        for seed, value in enumerate(values)
    ]
    group = Group("first", "fairseq", tuple(entries))
    assert group.gain("dynamic", "static", "bleu").text("+") == "+1.5 ± 0.7"
    assert group.gain("static", "dynamic", "bleu").text("+") == "−1.5 ± 0.7"
    assert group.gain("dynamic", "none", "bleu").text("+") == "–"


def test_strategies_follow_the_order_of_the_recipe() -> None:
    assert GROUP.strategies(["none", "static", "span"]) == ["none", "span", "own"]
    assert GROUP.strategies(()) == ["span", "none", "own"]


def test_groups_summarize_updates_seeds_and_minutes() -> None:
    assert GROUP.updates == "20, 1,500"
    assert GROUP.seeds == "1–2"
    assert GROUP.minutes == 2.0
    assert Group("first", "fairseq", GROUP.entries[1:3]).seeds == "2"
