"""Rows of text from files, folders and Hugging Face datasets; bad rows are reported and counted."""

from __future__ import annotations

import gzip
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.shared.corpora import Corpus, in_folder
from recipes.shared.errors import RecipeError
from recipes.shared.rows import SPLITS, Problem, Table, first_problems, of_dataset, read
from support.recipe_cases import LABELLED, RECIPE, put

NAMES = ("source", "target")
#: Texts of one line; runs of spaces are collapsed.
LINES = st.text(st.characters(exclude_characters="\t\n\r", exclude_categories=["Cs"]))
SPACES = [c for c in map(chr, range(0x3001)) if c.isspace() and c not in "\t\n\r"]


def test_plain_and_compressed_files_give_equal_rows(tmp_path: Path) -> None:
    spaced = " 5".join(f"{space}4" for space in SPACES)
    data = f"eins\tone\nzwei\u2028drei \ttwo\u00a0 three\r\nvier\t{spaced}"
    plain, packed = (put(tmp_path / name, data) for name in ("a.tsv", "a.tsv.gz"))
    tables = [read([path], NAMES) for path in (plain, packed)]
    assert tables[0].columns == tables[1].columns
    assert tables[0].columns["source"] == ["eins", "zwei drei", "vier"]
    assert tables[0].columns["target"] == ["one", "two three", " 5 ".join("4" * len(SPACES))]
    assert tables[1].places == [(str(packed), 1), (str(packed), 2), (str(packed), 3)]
    assert not tables[0].problems


def visible(text: str) -> bool:
    return any(unicodedata.category(each)[0] not in "CZ" for each in text)


@given(st.lists(st.tuples(LINES, LINES), min_size=1), st.sampled_from(["", ".gz"]))
def test_one_file_and_one_file_per_column_give_equal_rows(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], packed: str
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    joined = "".join(f"{left}\t{right}\n" for left, right in rows)
    sides = ("".join(f"{text}\n" for text in side) for side in zip(*rows, strict=True))
    one = read([put(folder / f"a.tsv{packed}", joined)], NAMES)
    two = read([put(folder / f"a.{i}{packed}", side) for i, side in enumerate(sides)], NAMES)
    assert one.columns == two.columns
    kept = [[" ".join(text.split()) for text in row] for row in rows if all(map(visible, row))]
    assert list(map(list, zip(*one.columns.values(), strict=True))) == kept
    assert [line for _, line in one.places] == [line for _, line in two.places]
    assert one.counts() == two.counts() == Table({}, [], one.problems).counts()
    assert len(one) + len(one.problems) == len(rows)


@given(st.lists(st.binary(), min_size=1))
def test_each_line_of_any_bytes_is_a_row_or_a_problem(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    data = b"".join(line + b"\n" for line in lines)
    actual = read([put(tmp_path_factory.mktemp("rows") / "a.tsv", data)], NAMES)
    assert len(actual) + len(actual.problems) == data.count(b"\n")
    for text in (text for texts in actual.columns.values() for text in texts):
        assert text == " ".join(text.split()) != ""


def test_unequal_line_counts_are_an_error_with_both_counts(tmp_path: Path) -> None:
    two, three, empty = (put(tmp_path / f"a.{n}", "a\n" * n) for n in (2, 3, 0))
    with pytest.raises(RecipeError, match=r"a\.2 has 2 lines and .*a\.3 has 3 lines; line n"):
        read([two, three], NAMES)
    with pytest.raises(RecipeError, match=r"a\.0 has 0 lines and .*a\.2 has 2 lines"):
        read([empty, two], NAMES)
    assert len(read([empty], NAMES)) == 0


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (b"a\n \nc\n", b"x\ny\nz\n", r"a\.en, line 2: empty"),
        (b"a\n\nc", b"x\ny\nz", r"a\.en, line 2: empty"),
        (b"a\nb\nc\n", b"x\n\xe2\x80\xa8\nz\n", r"a\.de, line 2: empty"),
        (b"a\nb\nc\n", b"x\n\xe2\x80\x8b \nz\n", r"a\.de, line 2: empty"),
        (b"a\nb\nc\n", b"x\n\xff\nz\n", r"a\.de, line 2: not UTF-8 \(invalid start byte\)"),
        (b"a\n\xc3\nc\n", b"x\ny\nz\n", r"a\.en, line 2: not UTF-8 \(unexpected end of data\)"),
    ],
)
def test_bad_rows_are_skipped_and_reported_by_line(
    tmp_path: Path, source: bytes, target: bytes, message: str
) -> None:
    actual = read([put(tmp_path / "a.en", source), put(tmp_path / "a.de", target)], NAMES)
    assert actual.columns == {"source": ["a", "c"], "target": ["x", "z"]}
    assert [line for _, line in actual.places] == [1, 3]
    (problem,) = actual.problems
    assert re.search(message, str(problem))
    assert actual.counts() == {problem.why: 1}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"b", "columns (1, expected 2)"),
        (b"b\ty\t3", "columns (3, expected 2)"),
        (b"b\t", "empty"),
        (b"\ty", "empty"),
        (b"", "empty"),
        (b"\t", "empty"),
        (b"b\t\xff", "not UTF-8 (invalid start byte)"),
    ],
)
def test_rows_with_wrong_columns_are_reported_by_line(
    tmp_path: Path, line: bytes, message: str
) -> None:
    path = put(tmp_path / "a.tsv.gz", b"a\tx\n" + line + b"\nc\tz\n")
    actual = read([path], NAMES)
    assert actual.columns == {"source": ["a", "c"], "target": ["x", "z"]}
    assert [str(problem) for problem in actual.problems] == [f"{path}, line 2: {message}"]


PACKED = gzip.compress(b"a\tb\n" * 1000)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a\tb\n", "Not a gzipped file"),
        (PACKED[:-20], "ended before the end-of-stream marker"),
        (PACKED[:-8] + bytes(8), "CRC check failed"),
        (PACKED[:10] + b"\xff" * 20 + PACKED[30:], "invalid block type"),
    ],
    ids=["plain", "cut", "sum", "damaged"],
)
def test_a_corrupt_file_is_an_error_with_its_name(
    tmp_path: Path, data: bytes, message: str
) -> None:
    path = tmp_path / "a.tsv.gz"
    path.write_bytes(data)
    with pytest.raises(RecipeError, match=rf"a\.tsv\.gz: .*{message}"):
        read([path], NAMES)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["nowhere.tsv"], r"nowhere\.tsv: no such file"),
        (["nowhere.tsv.gz"], r"nowhere\.tsv\.gz: no such file"),
        (["."], "Is a directory"),
        (["a", "b", "c"], "3 files for the columns source, target"),
    ],
)
def test_wrong_files_are_errors(tmp_path: Path, names: list[str], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        read([tmp_path / name for name in names], NAMES)


def test_dataset_rows_are_checked_like_file_rows() -> None:
    rows = [
        {"source": "a\tb\n c", "target": "x"},
        {"source": " ", "target": "x"},
        {"source": "a", "target": None},
        {"source": "d", "target": 0},
    ]
    actual = of_dataset(rows, "name/train", NAMES)
    assert actual.columns == {"source": ["a b c", "d"], "target": ["x", "0"]}
    assert actual.places == [("name/train", 1), ("name/train", 4)]
    assert [str(p) for p in actual.problems] == [f"name/train, line {n}: empty" for n in (2, 3)]


def test_without_turns_rows_into_problems() -> None:
    places = [("f", 1), ("f", 2), ("f", 5)]
    whole = Table({"source": ["a", "b", "c"]}, places, [Problem("f", 3, "x")])
    actual = whole.without({1: Problem("f", 2, "too long")})
    assert actual.columns == {"source": ["a", "c"]}
    assert actual.places == [("f", 1), ("f", 5)]
    assert actual.counts() == {"x": 1, "too long": 1}
    assert len(whole) == 3


@pytest.mark.parametrize(("count", "last"), [(5, "f, line 4: empty"), (8, "and 3 more")])
def test_first_problems_are_listed_with_the_number_of_others(count: int, last: str) -> None:
    lines = list(first_problems([Problem("f", i, "empty") for i in range(count)]))
    assert lines[0] == "f, line 0: empty"
    assert lines[-1] == last
    assert len(lines) == min(count, 6)


# --- folders and datasets ------------------------------------------------------------------------

ROWS = [["one", "eins"], ["two", "zwei"], ["three", "drei"]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a corpus ``mine`` whose test rows are not compressed."""
    for split in ("train.tsv.gz", "valid.tsv.gz", "test.tsv"):
        put(tmp_path / f"mine.{split}", f"{split}\tx\n")
    return tmp_path


def test_compressed_files_of_a_folder_take_precedence(folder: Path) -> None:
    put(folder / "mine.train.tsv", "other\tx\n")
    tables = Corpus("mine", in_folder(folder, "mine")).tables(RECIPE)
    assert [tables[split].columns["source"] for split in SPLITS] == [
        ["train.tsv.gz"], ["valid.tsv.gz"], ["test.tsv"]
    ]  # fmt: skip


@pytest.mark.parametrize(("split", "packed"), [("valid", ".gz"), ("test", "")])
def test_a_missing_file_in_a_folder_is_an_error(folder: Path, split: str, packed: str) -> None:
    (folder / f"mine.{split}.tsv{packed}").unlink()
    with pytest.raises(RecipeError, match=rf"{folder}/mine\.{split}\.tsv\.gz: no such file"):
        in_folder(folder, "mine")


def test_user_files_have_all_columns_or_one_column(tmp_path: Path) -> None:
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


@pytest.mark.parametrize("columns", [(), ("review.text", "review.label")])
def test_classes_become_names_and_unlabelled_rows_are_skipped(
    datasets: Any, tmp_path: Path, columns: tuple[str, ...]
) -> None:
    classes = datasets.ClassLabel(names=["bad", "good"])
    features: dict[str, Any] = {"text": datasets.Value("string"), "label": classes}
    rows: dict[str, list[Any]] = {"text": ["a", "b", "c", "d"], "label": [1, 0, -1, None]}
    if columns:  # nested
        pairs = zip(*rows.values(), strict=True)
        rows = {"review": [{"text": text, "label": label} for text, label in pairs]}
        features = {"review": features}
    place = str(written(tmp_path / "data", "parquet", rows, datasets.Features(features)))
    table = Corpus("mine", {}, place, columns).tables(LABELLED)["test"]
    assert table.columns == {"text": ["a", "b"], "label": ["good", "bad"]}
    assert [problem.line for problem in table.problems] == [3, 4]


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
