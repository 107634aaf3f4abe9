"""Splits depend on source packages alone; near duplicates are kept once, in training first."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.corpora.splitting import divide, letters, split_of

#: One source package of each, from the archive.
SOURCES = {"train": "bash", "valid": "java-common", "test": "wine", None: "vim"}


@pytest.mark.parametrize(("split", "source"), SOURCES.items())
def test_the_split_of_a_source_stays(split: str | None, source: str) -> None:
    assert split_of(source) == split


def test_shares_of_the_splits() -> None:
    counts = Counter(split_of(f"source-{i}") for i in range(20_000))
    assert counts["train"] == pytest.approx(0.91 * 20_000, rel=0.02)
    for split in ("valid", "test", None):
        assert counts[split] == pytest.approx(0.03 * 20_000, rel=0.15)


@given(st.text())
def test_letters_are_ascii_and_stay_what_they_are(text: str) -> None:
    made = letters(text)
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyz ")
    assert letters(made) == made


def test_rows_go_where_their_source_goes() -> None:
    made = divide((source, (f"of {source}", "x")) for source in SOURCES.values())
    assert made == {
        "train": [("of bash", "x")],
        "valid": [("of java-common", "x")],
        "test": [("of wine", "x")],
    }


def test_of_near_duplicates_the_first_in_training_is_kept() -> None:
    rows = [
        ("vim", ("Version 1.0 of it", "unseen")),
        ("wine", ("Version 1 of it", "test")),
        ("java-common", ("version 2 of it", "valid")),
        ("bash", ("Version 3: of it.", "train")),
        ("bash", ("VERSION 4, OF IT", "again")),
    ]
    assert divide(rows) == {"train": [rows[3][1]], "valid": [], "test": []}
    assert divide(rows[:3]) == {"train": [], "valid": [rows[2][1]], "test": []}
    assert divide(rows[:1]) == {"train": [], "valid": [], "test": []}


def test_the_order_depends_on_the_rows_alone() -> None:
    rows = [("bash", ("a" * n, "x")) for n in range(1, 40)]
    there, back = divide(rows)["train"], divide(reversed(rows))["train"]
    assert there == back
    assert sorted(there) == sorted(row for _, row in rows)
    assert there not in (sorted(there), sorted(there, reverse=True))
