"""Divide rows into splits by source package, without near duplicates."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from recipes.shared.rows import SPLITS

Row = tuple[str, str]

#: The first of a thousand parts of the sources in each split. The first 30 parts are in no split,
#: and stay unseen by any tuning.
BEGINS = {"test": 30, "valid": 60, "train": 90}


def split_of(source: str) -> str | None:
    """Return the split of a source package, by its name; None if it is in no split."""
    part = _number(source) % 1000
    return next((split for split in SPLITS if part >= BEGINS[split]), None)


def letters(text: str) -> str:
    """Return the words of a text in lower-case ASCII letters; near duplicates have the same.

    Example:
        >>> letters("Qt 5 module, for C++")
        'qt module for c'
    """
    return re.sub("[^a-z]+", " ", text.lower()).strip()


def divide(rows: Iterable[tuple[str, Row]]) -> dict[str, list[Row]]:
    """Return the rows of each split in random order, so that the first rows are a sample.

    Of rows whose first columns are near duplicates, the first is kept; training comes before
    validation and test.

    Args:
        rows: source packages and their rows.
    """
    all_of: dict[str, list[Row]] = {split: [] for split in SPLITS}
    for source, row in rows:
        split = split_of(source)
        if split:
            all_of[split].append(row)
    seen: set[str] = set()
    divided = {}
    for split, candidates in all_of.items():
        kept = []
        for row in candidates:
            key = letters(row[0])
            if key not in seen:
                seen.add(key)
                kept.append(row)
        divided[split] = sorted(kept, key=lambda row: _number("\t".join(row)))
    return divided


def _number(text: str) -> int:
    """Return a stable hash."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
