"""Sources of rows: a folder, own files, a Hugging Face dataset in a folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from recipes.shared.corpora import Corpus, in_folder
from recipes.shared.errors import RecipeError
from recipes.shared.rows import SPLITS
from support.recipe_cases import LABELLED, RECIPE, put

ROWS = [["one", "eins"], ["two", "zwei"], ["three", "drei"]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a corpus ``mine`` whose test rows are not compressed."""
    for split in ("train.tsv.gz", "valid.tsv.gz", "test.tsv"):
        put(tmp_path / f"mine.{split}", f"{split}\tx\n")
    return tmp_path


def test_a_folder_has_one_file_per_split(folder: Path) -> None:
    tables = Corpus("mine", in_folder(folder, "mine")).tables(RECIPE)
    assert [tables[split].columns["source"] for split in SPLITS] == [
        ["train.tsv.gz"], ["valid.tsv.gz"], ["test.tsv"]
    ]  # fmt: skip


def test_compressed_files_take_precedence(folder: Path) -> None:
    put(folder / "mine.train.tsv", "other\tx\n")
    tables = Corpus("mine", in_folder(folder, "mine")).tables(RECIPE)
    assert tables["train"].columns["source"] == ["train.tsv.gz"]


@pytest.mark.parametrize(("split", "packed"), [("valid", ".gz"), ("test", "")])
def test_a_missing_file_in_a_folder_is_an_error(folder: Path, split: str, packed: str) -> None:
    (folder / f"mine.{split}.tsv{packed}").unlink()
    with pytest.raises(RecipeError, match=rf"{folder}/mine\.{split}\.tsv\.gz: no such file"):
        in_folder(folder, "mine")


def test_own_files_have_all_columns_or_one_column(tmp_path: Path) -> None:
    joined = put(tmp_path / "a.tsv", "one\teins\ntwo\tzwei\n")
    sides = [put(tmp_path / "a.en", "one\ntwo\n"), put(tmp_path / "a.de.gz", "eins\nzwei\n")]
    files = {"train": [joined], "valid": sides, "test": sides[::-1]}
    tables = Corpus("own", files).tables(RECIPE)
    assert tables["train"].columns == tables["valid"].columns
    assert tables["test"].columns["source"] == ["eins", "zwei"]


@pytest.fixture
def datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return the library, offline and with its own cache."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    datasets.disable_progress_bars()
    yield datasets
    datasets.enable_progress_bars()


def written(
    folder: Path, kind: str, rows: Mapping[str, Sequence[Any]], features: Any = None
) -> Path:
    """Write columns as the three splits of a dataset."""
    from datasets import Dataset

    dataset = Dataset.from_dict(dict(rows), features=features)
    for split in ("train", "validation", "test"):
        getattr(dataset, f"to_{kind.removesuffix('l')}")(str(folder / f"{split}.{kind}"))
    return folder


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_dataset_is_read_from_a_folder(datasets: Any, tmp_path: Path, kind: str) -> None:
    columns = {"source": ["one", None, "three"], "target": ["eins", "zwei", " drei\n"]}
    place = str(written(tmp_path / "data", kind, columns))
    tables = Corpus("mine", {}, place).tables(RECIPE)
    assert set(tables) == set(SPLITS)
    for split, theirs in zip(SPLITS, ("train", "validation", "test"), strict=True):
        assert tables[split].columns == {"source": ["one", "three"], "target": ["eins", "drei"]}
        assert tables[split].places == [(f"{place}/{theirs}", 1), (f"{place}/{theirs}", 3)]
        assert [str(p) for p in tables[split].problems] == [f"{place}/{theirs}, line 2: empty"]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_dataset_columns_follow_the_order_of_the_recipe(
    datasets: Any, tmp_path: Path, kind: str
) -> None:
    columns = {"id": [1, 2, 3], "de": ["eins"] * 3, "text.en": ["one"] * 3}
    place = str(written(tmp_path / "data", kind, columns))
    tables = Corpus("mine", {}, place, ("text.en", "de")).tables(RECIPE)
    assert tables["test"].columns == {"source": ["one"] * 3, "target": ["eins"] * 3}


@pytest.mark.parametrize("typed", [False, True])
def test_nested_dataset_columns_can_be_selected(datasets: Any, tmp_path: Path, typed: bool) -> None:
    pairs: list[dict[str, str] | None] = [{"en": left, "de": right} for left, right in ROWS]
    features = None
    if typed:
        features = datasets.Features({"translation": datasets.Translation(languages=["de", "en"])})
    else:
        pairs[1] = None
    place = str(written(tmp_path / "data", "parquet", {"translation": pairs}, features))
    table = Corpus("mine", {}, place, ("translation.en", "translation.de")).tables(RECIPE)["train"]
    kept = ROWS if typed else [ROWS[0], ROWS[2]]
    assert table.columns == {"source": [r[0] for r in kept], "target": [r[1] for r in kept]}
    assert len(table.problems) == len(ROWS) - len(kept)


def test_classes_become_names_and_unlabelled_rows_are_skipped(
    datasets: Any, tmp_path: Path
) -> None:
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["bad", "good"])}
    )
    columns = {"text": ["a", "b", "c", "d"], "label": [1, 0, -1, None]}
    place = str(written(tmp_path / "data", "parquet", columns, features))
    table = Corpus("mine", {}, place).tables(LABELLED)["test"]
    assert table.columns == {"text": ["a", "b"], "label": ["good", "bad"]}
    assert [problem.line for problem in table.problems] == [3, 4]


def test_nested_classes_become_names(datasets: Any, tmp_path: Path) -> None:
    inner = {"stars": datasets.ClassLabel(names=["one", "two"]), "text": datasets.Value("string")}
    rows = {"review": [{"stars": 1, "text": "a"}, {"stars": 0, "text": "b"}]}
    features = datasets.Features({"review": inner})
    place = str(written(tmp_path / "data", "parquet", rows, features))
    table = Corpus("mine", {}, place, ("review.text", "review.stars")).tables(LABELLED)["valid"]
    assert table.columns == {"text": ["a", "b"], "label": ["two", "one"]}


def test_classes_without_names_stay_numbers(datasets: Any, tmp_path: Path) -> None:
    place = str(written(tmp_path / "data", "csv", {"text": ["a", "b"], "label": [0, 1]}))
    table = Corpus("mine", {}, place).tables(LABELLED)["train"]
    assert table.columns["label"] == ["0", "1"]
    assert not table.problems


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ((), r"has no column 'source', only de, pair\.en, pair\.fr; choose with --columns"),
        (("de", "pair.it"), r"has no column 'pair\.it', only de, pair\.en, pair\.fr; choose"),
        (("de", "pair"), r"has no column 'pair', only de, pair\.en, pair\.fr; choose"),
        (("de",), "--columns names 1 columns; the recipe needs 2: source, target"),
        (("de", "pair.en", "pair.fr"), "--columns names 3 columns; the recipe needs 2: source"),
    ],
)
def test_a_missing_dataset_column_is_an_error(
    datasets: Any, tmp_path: Path, columns: tuple[str, ...], message: str
) -> None:
    rows = {"de": ["eins"], "pair": [{"en": "one", "fr": "un"}]}
    place = str(written(tmp_path / "data", "parquet", rows))
    with pytest.raises(RecipeError, match=message):
        Corpus("mine", {}, place, columns).tables(RECIPE)


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_missing_dataset_split_is_an_error(datasets: Any, tmp_path: Path, split: str) -> None:
    place = written(tmp_path / "data", "csv", {"source": ["a"], "target": ["b"]})
    (place / f"{split}.csv").unlink()
    ours = split.removesuffix("ation")
    left = ", ".join(name for name in ("train", "validation", "test") if name != split)
    with pytest.raises(RecipeError, match=f"dataset '{place}' has no {ours} split, only {left}$"):
        Corpus("mine", {}, str(place)).tables(RECIPE)


@pytest.mark.parametrize("name", ["no-such-dataset-anywhere", "nobody/has:this", "/no/such/folder"])
def test_a_missing_dataset_is_an_error(datasets: Any, name: str) -> None:
    with pytest.raises(RecipeError, match=f"dataset '{name}': ") as error:
        Corpus("mine", {}, name).tables(RECIPE)
    assert len(error.value.message) > len(f"dataset '{name}': ")


def test_an_unreadable_dataset_is_an_error(datasets: Any, tmp_path: Path) -> None:
    for split in ("train", "validation", "test"):
        put(tmp_path / "data" / f"{split}.jsonl", json.dumps({"source": "a"}) + "\n{")
    with pytest.raises(RecipeError, match=f"dataset '{tmp_path}/data': "):
        Corpus("mine", {}, str(tmp_path / "data")).tables(RECIPE)
