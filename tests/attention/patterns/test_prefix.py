"""prefix: length as an option, a schedule, and an annotation."""

from __future__ import annotations

from typing import Any

import numpy as np

import maskplug
from maskplug.attention import Causal, Full, Prefix

LENGTH = 8


def matrix(pattern: maskplug.Pattern, **more: Any) -> Any:
    return pattern.dense(LENGTH, **more)[0, 0]


def test_length_zero_is_causal_and_a_long_prefix_is_full() -> None:
    assert (matrix(Prefix(0)) == matrix(Causal())).all()
    for length in (LENGTH, LENGTH + 1, 1_000):
        assert (matrix(Prefix(length)) == matrix(Full())).all()


def test_lengths_per_sample() -> None:
    lengths = [0, 3, 8, 20]
    together = Prefix().dense(LENGTH, keys=range(4), prefix_lengths=lengths)[:, 0]
    column = Prefix().dense(LENGTH, prefix_lengths=np.array(lengths)[:, None])[:, 0]
    for sample, length in enumerate(lengths):
        assert (together[sample] == matrix(Prefix(length))).all()
    assert (column == together).all()
    assert (matrix(Prefix(), prefix_lengths=3) == matrix(Prefix(3))).all()
