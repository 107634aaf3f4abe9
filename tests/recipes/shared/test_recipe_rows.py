"""Rows of text are read from all kinds of files; bad rows are reported and counted."""

from __future__ import annotations

import contextlib
import gzip
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.shared.errors import RecipeError
from recipes.shared.rows import Problem, Table, first_problems, of_dataset, read
from support.recipe_cases import put

NAMES = ("source", "target")
#: Texts of one line; runs of spaces are collapsed.
LINES = st.text(st.characters(exclude_characters="\t\n\r", exclude_categories=["Cs"]))
SPACES = "".join(c for c in map(chr, range(0x3001)) if c.isspace() and c not in "\t\n\r")


def test_plain_and_compressed_files_give_equal_rows(tmp_path: Path) -> None:
    data = "eins\tone\nzwei\u2028drei \ttwo\u00a0 three\r\nvier\tfour"
    plain, packed = (put(tmp_path / name, data) for name in ("a.tsv", "a.tsv.gz"))
    tables = [read([path], NAMES) for path in (plain, packed)]
    assert tables[0].columns == tables[1].columns
    assert tables[0].columns["source"] == ["eins", "zwei drei", "vier"]
    assert tables[0].columns["target"] == ["one", "two three", "four"]
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


@pytest.mark.parametrize("space", SPACES, ids=lambda space: f"{ord(space):04x}")
def test_all_kinds_of_spaces_become_one_space(tmp_path: Path, space: str) -> None:
    actual = read([put(tmp_path / "a.tsv", f"{space}a{space}{space}b\tc{space}\n")], NAMES)
    assert actual.columns == {"source": ["a b"], "target": ["c"]}


def test_unequal_line_counts_are_an_error_with_both_counts(tmp_path: Path) -> None:
    files = [put(tmp_path / "a.en", "a\nb\n"), put(tmp_path / "a.de.gz", "x\ny\nz\n")]
    with pytest.raises(RecipeError, match=r"a\.en has 2 lines and .*a\.de\.gz has 3 lines; line n"):
        read(files, NAMES)


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    files = [put(tmp_path / "a.en", ""), put(tmp_path / "a.de", "x\n")]
    with pytest.raises(RecipeError, match=r"a\.en has 0 lines and .*a\.de has 1 lines"):
        read(files, NAMES)
    assert len(read(files[:1], NAMES)) == 0


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


def test_problems_are_counted_by_reason(tmp_path: Path) -> None:
    actual = read([put(tmp_path / "a.tsv", b"a\n\n\nb\tx\n\xff\n")], NAMES)
    assert actual.counts() == {"columns": 1, "empty": 2, "not UTF-8": 1}


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


@given(st.binary(max_size=30), st.integers(0, len(PACKED) - 1))
def test_damaged_files_never_give_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, patch: bytes, place: int
) -> None:
    path = tmp_path_factory.mktemp("rows") / "a.gz"
    path.write_bytes(PACKED[:place] + patch + PACKED[place + len(patch) :])
    with contextlib.suppress(RecipeError):  # damage in the header is harmless
        read([path], NAMES)


@pytest.mark.parametrize("name", ["nowhere.tsv", "nowhere.tsv.gz"])
def test_a_missing_file_is_an_error_with_its_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(RecipeError, match=rf"{name}: no such file"):
        read([tmp_path / name], NAMES)


def test_a_folder_instead_of_a_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="Is a directory"):
        read([tmp_path], NAMES)


def test_a_wrong_number_of_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="3 files for the columns source, target"):
        read([tmp_path] * 3, NAMES)


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
    whole = Table(
        {"source": ["a", "b", "c"]}, [("f", 1), ("f", 2), ("f", 5)], [Problem("f", 3, "x")]
    )
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
