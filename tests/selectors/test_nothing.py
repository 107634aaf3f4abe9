"""Tests of the selector ``nothing``."""

from __future__ import annotations

import pytest

from maskplug.errors import TokenError
from maskplug.selectors import Nothing
from support.batches import batch, select


def test_nothing_is_selected_and_ids_are_checked() -> None:
    assert select(Nothing(), batch([[5, 6], []])).counts.tolist() == [0, 0]
    with pytest.raises(TokenError, match=r"60 \(sample 1, position 0\)"):
        select(Nothing(), batch([[5], [60]]))
