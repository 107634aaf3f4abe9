"""Memory grows with the number of tokens and with nothing else, however long the rows are."""

from __future__ import annotations

import multiprocessing
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskplug import TokenBatch
from maskplug.kernels import kernel
from support.cases import LABELS, RICH, case

STATUS = Path("/proc/self/status")
pytestmark = pytest.mark.skipif(not STATUS.exists(), reason="the system keeps no such accounts")

TOKENS = 131_072
#: Twenty int64 arrays. The greediest strategy holds eleven at a time; one bit a pair of tokens
#: would be 16,384 bytes a token.
BYTES_A_TOKEN = 160

SHAPES = {
    "one row": [TOKENS],
    # An array as wide as the longest row, for each row, would have 4,096 values a token here.
    "a long row among short ones": [TOKENS // 2, *[8] * (TOKENS // 16)],
}

SIZE = 200 + TOKENS // 4
#: As in ``cases``, with a sentinel for each span of a row as long as this.
VOCAB = replace(
    RICH,
    size=SIZE,
    sentinel_ids=range(200, SIZE),
    word_start=np.arange(SIZE) % 2 == 0,
    sentence_end=np.isin(np.arange(SIZE), [7, 9]),
)


def batch(label: str, lengths: list[int]) -> TokenBatch:
    """Random ordinary ids, with the layers that a strategy reads."""
    ids = np.random.default_rng(1).choice(VOCAB.ordinary, sum(lengths))
    offsets = np.cumsum([0, *lengths])
    return case(label).batch(TokenBatch.from_flat(ids, offsets, range(len(lengths))))


def account(name: str) -> int:
    """What the system says of this process: bytes."""
    line = next(x for x in STATUS.read_text().splitlines() if x.startswith(f"{name}:"))
    return 1024 * int(line.split()[1])


def peak(call: Callable[[], object]) -> int:
    """The most bytes that a call holds at a time, by the larger of two accounts.

    Python's knows every array of numpy's, and none that a kernel makes for itself. The system's
    knows all, but for those that find room in what the process had before.
    """
    begun = account("VmSize")
    call()
    grown = account("VmPeak") - begun
    tracemalloc.start()
    call()
    traced = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return max(grown, traced)


def in_a_fork(call: Callable[..., int], *args: Any) -> int:
    """The call's result from a process that has its own peak, and everything compiled."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(call, args)


def of_strategy(label: str, shape: str) -> int:
    strategy, tokens = case(label).make(label), batch(label, SHAPES[shape])
    return peak(lambda: strategy(tokens, VOCAB))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("label", LABELS)
def test_memory_per_token_is_bounded(label: str, shape: str) -> None:
    case(label).make(label)(batch(label, [100, 1]), VOCAB)  # loads and compiles
    assert in_a_fork(of_strategy, label, shape) <= BYTES_A_TOKEN * TOKENS


@kernel
def corner(rows: int, columns: int) -> int:
    """A value of an array that is gone when it returns."""
    return int(np.zeros((rows, columns), np.int8)[0, 0])


def of_kernel(rows: int, columns: int) -> int:
    return peak(lambda: corner(rows, columns))


def of_numpy(rows: int, columns: int) -> int:
    return peak(lambda: np.zeros((rows, columns), np.int8))


@pytest.mark.parametrize("call", [of_kernel, of_numpy])
def test_both_memory_measures_detect_a_large_array(call: Callable[..., int]) -> None:
    corner(1, 1)
    assert in_a_fork(call, TOKENS, 2 * BYTES_A_TOKEN) > BYTES_A_TOKEN * TOKENS
    assert in_a_fork(call, TOKENS, BYTES_A_TOKEN // 2) <= BYTES_A_TOKEN * TOKENS
