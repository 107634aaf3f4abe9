"""Splits depend only on source packages; one of several near duplicates is kept."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.corpora.splitting import divide, letters, split_of

#: A source package of the archive for each split.
SOURCES = {"train": "bash", "valid": "java-common", "test": "wine", None: "vim"}


@pytest.mark.parametrize(("split", "source"), SOURCES.items())
def test_splits_of_known_sources_are_fixed(split: str | None, source: str) -> None:
    assert split_of(source) == split


def test_splits_have_their_shares() -> None:
    counts = Counter(split_of(f"source-{i}") for i in range(20_000))
    assert counts["train"] == pytest.approx(0.91 * 20_000, rel=0.02)
    for split in ("valid", "test", None):
        assert counts[split] == pytest.approx(0.03 * 20_000, rel=0.15)


@given(st.text())
def test_letters_are_ascii_and_idempotent(text: str) -> None:
    actual = letters(text)
    assert set(actual) <= set("abcdefghijklmnopqrstuvwxyz ")
    assert letters(actual) == actual


def test_rows_follow_the_split_of_their_source() -> None:
    actual = divide((source, (f"of {source}", "x")) for source in SOURCES.values())
    assert actual == {
        "train": [("of bash", "x")],
        "valid": [("of java-common", "x")],
        "test": [("of wine", "x")],
    }


def test_training_keeps_the_first_of_near_duplicates() -> None:
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


def test_order_depends_only_on_the_rows() -> None:
    rows = [("bash", ("a" * n, "x")) for n in range(1, 40)]
    there, back = divide(rows)["train"], divide(reversed(rows))["train"]
    assert there == back
    assert sorted(there) == sorted(row for _, row in rows)
    assert there not in (sorted(there), sorted(there, reverse=True))
