"""Runs: their stages, epochs and fingerprints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recipes.shared.config import load as load_recipe
from recipes.shared.config import names
from recipes.shared.errors import RecipeError
from recipes.shared.plan import Run
from recipes.shared.settings import Generation, Rows
from recipes.shared.workspace import Workspace
from support.recipe_cases import DENOISING, LABELLED, RECIPE, TRANSLATION, run, workspace

TWO = replace(
    RECIPE,
    stages=(replace(DENOISING, limit=50), replace(TRANSLATION, masked=False)),
    strategies=RECIPE.strategies | {"waiting": {"attention": "wait_k:k=3"}},
)


@pytest.fixture
def work(tmp_path: Path) -> Workspace:
    return workspace(tmp_path / "work", train=100)


def test_each_stage_starts_from_the_previous_one(work: Workspace) -> None:
    first, second = run(work, TWO).stages()
    assert (first.stage.task, second.stage.task) == ("denoising", "translation")
    assert (first.stage.updates, second.stage.updates) == (40, 20)
    assert first.folder == work.root / "runs" / "fairseq-dynamic-1" / "1-denoising"
    assert second.folder == first.folder.with_name("2-translation")
    assert (first.start, second.start) == (None, first.folder)


def test_unmasked_stages_read_clean_text(work: Workspace) -> None:
    first, second = run(work, TWO).stages()
    assert first.masking == {"name": "dynamic", "rate": 0.2}
    assert first.options == {"rate": 0.2}
    assert (second.masking, second.options) == ({"name": "none"}, {})


def test_without_masking_the_last_stage_gets_all_updates(work: Workspace) -> None:
    (only,) = run(work, TWO, strategy="none").stages()
    assert (only.stage.task, only.stage.updates) == ("translation", 60)
    assert replace(only.stage, updates=20) == TWO.stages[1]
    assert only.start is None
    assert only.rows == 100


def test_an_attention_only_strategy_masks_nothing(work: Workspace) -> None:
    waiting = run(work, TWO, strategy="waiting")
    assert waiting.masking == {"name": "none"}
    assert waiting.attention == "wait_k:k=3"
    assert run(work, TWO).attention == ""


def test_rows_of_a_stage_are_limited(work: Workspace) -> None:
    assert [stage.rows for stage in run(work, TWO).stages()] == [50, 100]
    few = workspace(work.root / "few", train=30)
    assert [stage.rows for stage in run(few, TWO).stages()] == [30, 30]


@pytest.mark.parametrize(
    ("stage", "epochs"),
    [
        (replace(TRANSLATION, updates=20, batch=10), 2),
        (replace(TRANSLATION, updates=21, batch=10), 3),
        (replace(TRANSLATION, updates=20, batch=30), 5),
        (replace(TRANSLATION, updates=20, batch=200), 20),
        (replace(TRANSLATION, updates=20, batch=10, limit=15), 10),
        (replace(DENOISING, updates=20, batch=10), 1),
        (replace(DENOISING, updates=20, batch=10, columns=("target",)), 2),
        (replace(DENOISING, updates=20, batch=10, limit=15), 7),
        (replace(DENOISING, task="masked_lm", updates=20, batch=10, columns=("source",)), 2),
    ],
)
def test_epochs_follow_from_updates_and_rows(work: Workspace, stage: object, epochs: int) -> None:
    (only,) = run(work, replace(RECIPE, stages=(stage,))).stages()
    assert only.epochs == epochs


def test_text_columns_exclude_classes(work: Workspace) -> None:
    assert [stage.text_columns for stage in run(work).stages()] == [("source", "target")]
    labelled = run(work, LABELLED, strategy="none")
    assert [stage.text_columns for stage in labelled.stages()] == [("text",)]
    some = replace(RECIPE, stages=(replace(DENOISING, columns=("target",)),))
    assert [stage.text_columns for stage in run(work, some).stages()] == [("target",)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"strategy": "dinamic"},
            r"strategy 'dinamic' of small; did you mean 'dynamic'\? Choices: ",
        ),
        ({"framework": "jax"}, r"framework 'jax' of small\. Choices: fairseq, huggingface"),
        (
            {"framework": "huggingface", "recipe": replace(RECIPE, frameworks=("fairseq",))},
            r"'huggingface' of small\. Choices: fairseq$",
        ),
    ],
)
def test_an_unknown_strategy_or_framework_is_an_error(
    work: Workspace, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        run(work, **changes)


STAGE, DYNAMIC = RECIPE.stages[0], RECIPE.strategies["dynamic"]
CHANGED: list[dict[str, Any]] = [
    {"pieces": 301},
    {"rows": Rows(21)},
    {"model": replace(RECIPE.model, dropout=0.2)},
    {"model": replace(RECIPE.model, family="bart")},
    {"stages": (replace(STAGE, learning_rate=0.002),)},
    {"stages": (replace(STAGE, updates=40),)},
    {"stages": (STAGE, STAGE)},
    {"generation": Generation(beam=2)},
    {"strategies": {"dynamic": {"name": "dynamic", "rate": 0.3}}},
    {"strategies": {"dynamic": {"name": "static", "rate": 0.2}}},
    {"strategies": {"dynamic": {**DYNAMIC, "attention": "causal"}}},
]
UNCHANGED: list[dict[str, Any]] = [
    {"title": "Another", "metric": "chrf", "data": "elsewhere"},
    {"sample": True, "corpora": (*RECIPE.corpora, "third"), "frameworks": ("fairseq",)},
    {"path": Path("elsewhere/config.toml")},
    {"strategies": {"dynamic": {"rate": 0.2, "name": "dynamic"}}},
    {"strategies": {**RECIPE.strategies, "span": {"name": "span"}}},
]


@pytest.mark.parametrize("changes", [*CHANGED, *UNCHANGED])
def test_fingerprint_changes_with_the_settings_but_not_with_titles_and_other_strategies(
    work: Workspace, changes: dict[str, Any]
) -> None:
    equal = run(work, replace(RECIPE, **changes)).fingerprint == run(work).fingerprint
    assert equal == (changes in UNCHANGED)


def test_fingerprint_distinguishes_runs_and_rows_but_not_folders(tmp_path: Path) -> None:
    def fingerprint(name: str, texts: int = 1, **changes: object) -> str:
        return run(workspace(tmp_path / name, corpus="a", texts=texts), **changes).fingerprint

    expected = fingerprint("one")
    assert len(expected) == 16
    assert fingerprint("other") == expected
    others = [{"seed": 2}, {"framework": "huggingface"}, {"strategy": "none"}, {"texts": 2}]
    for changes in others:
        assert fingerprint("one", **changes) != expected


@pytest.mark.parametrize("name", names())
def test_all_strategies_of_a_recipe_have_equal_updates(name: str, tmp_path: Path) -> None:
    recipe, work = load_recipe(name), workspace(tmp_path)
    updates = {
        strategy: sum(s.stage.updates for s in Run(recipe, work, "fairseq", strategy, 1).stages())
        for strategy in recipe.strategies
    }
    assert len(set(updates.values())) == 1
