"""Which split a source package belongs to, and which rows are near duplicates of others."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from recipes.shared.rows import SPLITS

Row = tuple[str, str]

#: Of a thousand parts of all sources, where each split begins. The first 30 parts are in no file:
#: they stay unseen, whatever is tuned on the others.
BEGINS = {"test": 30, "valid": 60, "train": 90}


def split_of(source: str) -> str | None:
    """The split of a source package, which its name decides; None for those in no file."""
    part = _number(source) % 1000
    return next((split for split in SPLITS if part >= BEGINS[split]), None)


def letters(text: str) -> str:
    """What two near duplicates have in common: ASCII letters in lower case, spaces between.

    Example:
        >>> letters("Qt 5 module, for C++")
        'qt module for c'
    """
    return re.sub("[^a-z]+", " ", text.lower()).strip()


def divide(rows: Iterable[tuple[str, Row]]) -> dict[str, list[Row]]:
    """Rows by split, each in an order that tells nothing: a file's beginning is a sample of it.

    Of rows whose first columns are near duplicates, the first is kept, and training comes before
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
    made = {}
    for split, found in all_of.items():
        kept = []
        for row in found:
            key = letters(row[0])
            if key not in seen:
                seen.add(key)
                kept.append(row)
        made[split] = sorted(kept, key=lambda row: _number("\t".join(row)))
    return made


def _number(text: str) -> int:
    """A stable hash."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
