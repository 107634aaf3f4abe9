"""Prepared rows have the same ids in both frameworks; equal requests are prepared once."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from recipes.shared import binarize, pieces, prepare
from recipes.shared.errors import RecipeError
from recipes.shared.hf_rows import features
from recipes.shared.plan import Run, StageRun
from recipes.shared.rows import SPLITS, Problem
from recipes.shared.settings import Model, Recipe, Rows
from recipes.shared.workspace import Workspace
from support.recipe_cases import (
    CLASSIFICATION,
    DENOISING,
    LABELLED,
    RECIPE,
    TRANSLATION,
    pairs,
    tables,
)
from support.recipe_runs import preprocess_in_this_process

pytestmark = pytest.mark.xdist_group("recipe-prepare")
LABELS = ("web", "games and more", "x11")
STRANGE = ("½ 漢字 package 😀", "Paket ﬁ 漢")
RECIPES = {
    "marian": replace(RECIPE, rows=Rows(60), stages=(replace(TRANSLATION, limit=30),)),
    "bart": replace(
        RECIPE, rows=Rows(60), model=Model("bart"),
        stages=(replace(DENOISING, limit=40), replace(TRANSLATION, limit=30)),
    ),
    "bert": replace(
        LABELLED, rows=Rows(20, long="truncate"), stages=(replace(CLASSIFICATION, limit=50),)
    ),
}  # fmt: skip
Quick = Callable[..., Workspace]


@dataclass(frozen=True)
class Prepared:
    recipe: Recipe
    work: Workspace

    @property
    def stages(self) -> list[StageRun]:
        return [*Run(self.recipe, self.work, "huggingface", "dynamic", 1).stages()]

    def binarized(self, data: str, dictionary: str) -> tuple[list[list[int]], Any]:
        """Return the rows that fairseq reads, and its dictionary."""
        from fairseq.data import Dictionary, data_utils

        folder = self.work.root / "data-bin"
        symbols = Dictionary.load(str(folder / dictionary))
        rows = data_utils.load_indexed_dataset(str(folder / data), symbols)
        return [row.tolist() for row in rows], symbols


@pytest.fixture(scope="module", params=RECIPES)
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    recipe, work = RECIPES[request.param], Workspace(tmp_path_factory.mktemp(request.param))
    splits = {"train": pairs(200), "valid": pairs(20, 200), "test": [*pairs(9, 220), [*STRANGE]]}
    if "label" in recipe.columns:
        for rows in splits.values():
            rows[:] = [[left, LABELS[i % len(LABELS)]] for i, (left, _) in enumerate(rows)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(binarize, "subprocess", SimpleNamespace(run=preprocess_in_this_process))
        assert prepare.prepare(recipe, work, tables(recipe, **splits), lambda _: None)
    return Prepared(recipe, work)


def test_rows_have_the_ids_of_the_saved_tokenizer(prepared: Prepared) -> None:
    recipe, work = prepared.recipe, prepared.work
    tokenizer, rows = pieces.load_tokenizer(work, recipe.model.family), prepare.load_rows(work)
    begin = 0 if recipe.model.family == "marian" else 1
    for split in SPLITS:
        for column in recipe.text_columns:
            theirs = tokenizer(work.lines(split, column))["input_ids"]
            ours = rows[split][column]
            assert len(ours) == work.facts()["summary"][split]["used"]
            for row, ids in zip(ours, theirs, strict=True):
                assert row == ids[begin:-1][: recipe.rows.max_length]
                assert 0 < len(row) <= recipe.rows.max_length
    assert 3 in rows["test"][recipe.columns[0]][-1]  # <unk>: 漢字
    assert work.lines("test", recipe.columns[0])[-1] == STRANGE[0]
    assert work.skipped.read_text("utf-8").startswith("file\tline\twhy\tdetail\n")


#: Binarized data, their dictionaries, and the columns of the same rows in Hugging Face.
BINARY = {
    "translation": [
        ("pairs/{}.source-target.source", "pairs/dict.source.txt", "input_ids"),
        ("pairs/{}.source-target.target", "pairs/dict.target.txt", "labels"),
    ],
    "denoising": [("text/{}", "text/dict.txt", "input_ids")],
    "classification": [("labelled/input0/{}", "labelled/input0/dict.txt", "input_ids")],
}


@pytest.mark.parametrize("split", SPLITS)
def test_both_frameworks_read_the_same_rows_with_the_same_symbols(
    prepared: Prepared, split: str
) -> None:
    tokenizer = pieces.load_tokenizer(prepared.work, prepared.recipe.model.family)
    symbols = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    for stage in prepared.stages:
        rows = features(stage, split)
        for data, dictionary, name in BINARY[stage.stage.task]:
            actual, known = prepared.binarized(data.format(split), dictionary)
            assert known.symbols == symbols
            if stage.stage.task != "translation":  # fairseq's tasks prepend <s>
                actual = [[0, *row] for row in actual]
            assert rows[name] == actual
            begins = prepared.recipe.model.family != "marian"
            assert all((row[0] == 0) == begins and row[-1] == 2 for row in actual)
        columns = 2 if stage.stage.task == "denoising" else 1
        used = prepared.work.facts()["summary"][split]["used"]
        assert stage.stage.limit < used or split != "train"
        assert len(rows) == columns * (stage.stage.limit if split == "train" else used)


@pytest.mark.parametrize("split", SPLITS)
def test_both_frameworks_read_the_same_classes(prepared: Prepared, split: str) -> None:
    names = prepared.work.facts()["labels"]
    if "label" not in prepared.recipe.columns:
        assert names == []
        return
    assert names == sorted(LABELS)
    path = "labelled/label"
    actual, dictionary = prepared.binarized(f"{path}/{split}", f"{path}/dict.txt")
    numbers = [int(dictionary[row[0]]) for row in actual]
    assert [row[0] - dictionary.nspecial for row in actual] == numbers
    assert features(prepared.stages[0], split)["labels"] == numbers
    assert [names[i] for i in numbers] == prepared.work.lines(split, "label")[: len(numbers)]


@pytest.fixture
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Quick:
    """Return a function that prepares rows without fairseq-preprocess and checks ``fresh``."""
    calls: list[object] = []
    monkeypatch.setattr(binarize, "binarize", lambda *args: calls.append(args))

    def prepare_rows(
        recipe: Recipe, fresh: bool | None = True, corpus: str = "own", **changed: list[list[str]]
    ) -> Workspace:
        calls.clear()
        label = ["web"] if "label" in recipe.columns else []
        plain = [[*pair[: 2 - len(label)], *label] for pair in pairs(150)]
        splits = {"train": plain, "valid": plain[:5], "test": plain[5:9]} | changed
        work = Workspace(tmp_path / "work")
        done = prepare.prepare(recipe, work, tables(recipe, **splits), lambda _: None, corpus)
        assert fresh is None or (done, len(calls)) == (fresh, int(fresh))
        return work

    return prepare_rows


WIDE = replace(RECIPE, rows=Rows(max_length=400))
LONG = ("word " * 40).strip()


def test_too_long_rows_are_skipped_and_counted(quick: Quick) -> None:
    recipe = replace(RECIPE, rows=Rows(max_length=100))
    rows = [["a", "b"], [LONG, "b"], ["c", "d"], ["e", LONG], [LONG, LONG]]
    work = quick(recipe, valid=rows)
    assert work.facts()["summary"]["valid"] == {"used": 2, "truncated": 0, "too long": 3}
    assert work.lines("valid", "source") == ["a", "c"]
    assert work.lines("valid", "target") == ["b", "d"]
    _, *lines = work.skipped.read_text("utf-8").splitlines()
    skipped = [line.split("\t") for line in lines if line.startswith("valid")]
    assert [row[:3] for row in skipped] == [["valid.tsv", n, "too long"] for n in ("2", "5", "4")]
    assert skipped[0][3].startswith("source: ")
    assert skipped[0][3].endswith(" pieces, at most 100")
    assert skipped[2][3].startswith("target: ")
    assert prepare.load_rows(work)["valid"].num_rows == 2


def test_too_long_rows_are_truncated_on_request(quick: Quick) -> None:
    recipe = replace(RECIPE, rows=Rows(max_length=100, long="truncate"))
    rows = [["a", "b"], [LONG, "b"], ["c", "d"], ["e", LONG], [LONG, LONG]]
    work = quick(recipe, valid=rows)
    assert work.facts()["summary"]["valid"] == {"used": 3, "truncated": 1, "too long": 2}
    assert "valid.tsv\t2\ttruncated\t" in work.truncated.read_text("utf-8")
    encoded = work.encoded("valid", "source").read_text("utf-8").splitlines()
    assert [len(row.split()) == 100 for row in encoded] == [False, True, False]
    assert [len(row) == 100 for row in prepare.load_rows(work)["valid"]["source"]] == [
        False, True, False
    ]  # fmt: skip
    assert work.lines("valid", "source") == ["a", LONG, "c"]


def test_problems_from_reading_are_counted(tmp_path: Path, quick: Quick) -> None:
    actual = tables(WIDE, train=pairs(150), valid=pairs(3), test=pairs(3))
    actual["valid"].problems += [Problem("v.en", 4, "not UTF-8"), Problem("v.de", 9, "empty")]
    work = Workspace(tmp_path / "other")
    prepare.prepare(WIDE, work, actual, lambda _: None)
    counts = {"used": 3, "truncated": 0, "not UTF-8": 1, "empty": 1}
    assert work.facts()["summary"]["valid"] == counts
    assert work.skipped.read_text("utf-8").splitlines()[1:] == [
        "v.en\t4\tnot UTF-8\t",
        "v.de\t9\tempty\t",
    ]


UNKNOWN = [["a", "web"], ["b", "wob"], ["c", "web"]]
REFUSE = replace(RECIPE, rows=Rows(max_length=400, bad="refuse"))


@pytest.mark.parametrize(
    ("recipe", "rows", "message"),
    [
        (RECIPE, [["a", "b"], [LONG * 9, "b"]], r"too long \(source: \d+ pieces, at most 400"),
        (LABELLED, UNKNOWN, r"unknown label \('wob'\)"),
    ],
    ids=["too long", "unknown label"],
)
def test_bad_rows_are_refused_on_request(
    quick: Quick, tmp_path: Path, recipe: Recipe, rows: list[list[str]], message: str
) -> None:
    recipe = replace(recipe, rows=REFUSE.rows)
    with pytest.raises(
        RecipeError, match=rf"rows that cannot be used:\ntest\.tsv, line 2: {message}"
    ):
        quick(recipe, test=rows)
    assert Workspace(tmp_path / "work").facts() == {}
    quick(recipe)


def test_a_new_bad_row_is_refused_after_an_earlier_preparation(
    quick: Quick, tmp_path: Path
) -> None:
    work = quick(REFUSE)
    again = tables(REFUSE, train=pairs(150), valid=pairs(5), test=pairs(4, 5))
    assert not prepare.prepare(REFUSE, work, dict(again), lambda _: None)
    again["train"].problems.append(Problem("train.tsv", 151, "empty"))
    with pytest.raises(
        RecipeError, match=r"rows that cannot be used:\ntrain\.tsv, line 151: empty"
    ):
        prepare.prepare(REFUSE, work, dict(again), lambda _: None)
    assert work.facts()  # the prepared rows stay valid


def test_unknown_classes_are_skipped_and_counted(quick: Quick) -> None:
    recipe = replace(LABELLED, rows=Rows(100))
    # A class without usable training rows is unknown.
    train = [[left, "web"] for left, _ in pairs(150)] + [[f"{LONG} " * 9, "wob"]]
    work = quick(recipe, train=train, valid=UNKNOWN, test=UNKNOWN[::-1])
    assert work.facts()["labels"] == ["web"]
    for split in ("valid", "test"):
        counts = {"used": 2, "truncated": 0, "unknown label": 1}
        assert work.facts()["summary"][split] == counts
        assert f"{split}.tsv\t2\tunknown label\t'wob'\n" in work.skipped.read_text("utf-8")
        assert work.lines(split, "label") == ["web", "web"]
    assert work.lines("valid", "text") == ["a", "c"]
    rows = prepare.load_rows(work)["valid"]
    assert [len(rows["text"]), rows["label"]] == [2, [0, 0]]
    assert len(work.encoded("valid", "text").read_text("utf-8").splitlines()) == 2


@pytest.mark.parametrize(("split", "limit"), [("train", 1), ("valid", 100), ("test", 100)])
def test_a_split_without_usable_rows_is_an_error(
    quick: Quick, tmp_path: Path, split: str, limit: int
) -> None:
    recipe = replace(RECIPE, rows=Rows(limit))
    rows = {} if split == "train" else {split: [[f"{LONG} " * 9, "b"]]}
    message = rf"^{split}: no usable row\n{split}\.tsv, line 1: too long"
    with pytest.raises(RecipeError, match=message):
        quick(recipe, **rows)
    none = tables(recipe, **{each: [] if each == split else pairs(9) for each in SPLITS})
    with pytest.raises(RecipeError, match=rf"^{split}: no usable row$"):
        prepare.prepare(recipe, Workspace(tmp_path), none, lambda _: None)


CHANGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"test": pairs(3)}),
    ({}, {"train": pairs(149)}),
    ({}, {"valid": pairs(5)[::-1]}),
    ({}, {"corpus": "other"}),
    ({"pieces": 200}, {}),
    ({"rows": Rows(300)}, {}),
    ({"rows": Rows(400, long="truncate")}, {}),
    ({"model": Model("bart")}, {}),
    ({"stages": (replace(TRANSLATION, limit=7),)}, {}),
    ({"stages": (DENOISING, TRANSLATION)}, {}),
]


def test_a_changed_request_is_prepared_again(quick: Quick) -> None:
    requests = []
    for settings, rows in [({}, {}), *CHANGES, ({}, {})]:
        work = quick(replace(WIDE, **settings), **rows)
        requests.append(json.dumps(work.facts()["request"]))
    assert requests[0] == requests[-1]
    assert len(set(requests)) == len(CHANGES) + 1


def test_an_equal_request_writes_nothing(quick: Quick) -> None:
    work = quick(WIDE)
    before = {path: path.stat().st_mtime_ns for path in work.root.rglob("*")}
    same = replace(WIDE, title="Another", stages=(replace(TRANSLATION, updates=40, batch=2),))
    quick(same, fresh=False)
    assert {path: path.stat().st_mtime_ns for path in work.root.rglob("*")} == before


def test_an_interrupted_preparation_starts_again(
    quick: Quick, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = quick(WIDE)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(pieces, "save_tokenizer", interrupt)
        with pytest.raises(KeyboardInterrupt):
            quick(replace(WIDE, pieces=200))
    assert work.facts() == {}
    quick(WIDE)


def test_binary_data_is_written_after_fairseq_is_installed(
    quick: Quick, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        finder = SimpleNamespace(util=SimpleNamespace(find_spec=lambda name: None))
        patched.setattr(prepare, "importlib", finder)
        work = quick(WIDE, fresh=None)
        assert work.facts()["request"]["fairseq"] is False
    quick(WIDE)


def test_a_failing_preprocess_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1, stdout="", stderr="x" * 5000 + "no space left")
    monkeypatch.setattr(binarize, "subprocess", SimpleNamespace(run=lambda *_, **__: failed))
    actual = tables(WIDE, train=pairs(150), valid=pairs(3), test=pairs(3))
    with pytest.raises(RecipeError, match=r"fairseq-preprocess failed:\nx+no space left") as error:
        prepare.prepare(WIDE, Workspace(tmp_path), actual, lambda _: None)
    assert len(error.value.message) < 2100
    assert not Workspace(tmp_path).facts()
