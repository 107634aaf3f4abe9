"""prefix: length as an option, a schedule, and an annotation."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug.attention import Causal, Full, Prefix
from maskplug.schedule import Linear

LENGTH = 8


def matrix(pattern: maskplug.Pattern, **more: Any) -> Any:
    return pattern.dense(LENGTH, **more)[0, 0]


def test_length_zero_is_causal_and_a_long_prefix_is_full() -> None:
    assert (matrix(Prefix(0)) == matrix(Causal())).all()
    for length in (LENGTH, LENGTH + 1, 1_000):
        assert (matrix(Prefix(length)) == matrix(Full())).all()


@pytest.mark.parametrize("length", range(LENGTH + 1))
def test_prefix_is_full_and_the_rest_causal(length: int) -> None:
    seen = matrix(Prefix(length))
    assert seen[:, :length].all()
    assert (seen[:, length:] == matrix(Causal())[:, length:]).all()
    rest = LENGTH - length
    assert seen.sum() == LENGTH * length + rest * (rest + 1) // 2


def test_lengths_per_sample() -> None:
    lengths = [0, 3, 8, 20]
    together = Prefix().dense(LENGTH, keys=range(4), prefix_lengths=lengths)[:, 0]
    column = Prefix().dense(LENGTH, prefix_lengths=np.array(lengths)[:, None])[:, 0]
    for sample, length in enumerate(lengths):
        assert (together[sample] == matrix(Prefix(length))).all()
    assert (column == together).all()
    assert (matrix(Prefix(), prefix_lengths=3) == matrix(Prefix(3))).all()


def test_prefix_starts_after_padding() -> None:
    valid = np.array([[0] * 3 + [1] * 5, [1] * 8])
    seen = Prefix().dense(LENGTH, valid=valid, prefix_lengths=[2, 2])[:, 0]
    assert seen[0, 3:, 3:5].all()
    assert (seen[0, 3:, 5:] == matrix(Causal())[3:, 5:]).all()
    assert (seen[1] == matrix(Prefix(2))).all()


def test_length_follows_a_schedule() -> None:
    growing = Prefix(length=Linear(0, 8))
    assert growing.is_dynamic
    assert not Prefix(4).is_dynamic
    seen = [matrix(growing, progress=p) for p in np.linspace(0, 1, 17)]
    assert (seen[0] == matrix(Causal())).all()
    assert (seen[8] == matrix(Prefix(4))).all()
    assert seen[16].all()
    for before, after in pairwise(seen):
        assert (before <= after).all()
