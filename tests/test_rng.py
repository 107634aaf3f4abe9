"""Keys, streams and draws; statistics with fixed seeds and exact bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskplug
from maskplug import Rng, derive, key_of
from maskplug.rng import hash_words, keys_of
from maskplug.tokens import content_keys
from support import reference as ref
from support.batches import batch, fits, likely, seeds

words64 = st.integers(0, 2**64 - 1)


@given(st.one_of(st.text(), st.binary()))
def test_text_and_bytes_are_hashed(value: str | bytes) -> None:
    assert key_of(value) == ref.text_key(value)


@pytest.mark.parametrize("value", [0, 7, 2**64 - 1, np.int32(5), np.uint64(2**63)])
def test_integers_are_used_as_keys(value: int) -> None:
    assert key_of(value) == int(value)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint32, np.uint64, np.int32, np.int64])
def test_arrays_of_keys(dtype: type) -> None:
    keys = keys_of(np.array([3, 0, 9], dtype))
    assert keys.dtype == np.uint64
    assert keys.tolist() == [3, 0, 9]


@given(st.lists(st.lists(st.integers(-3, 2**40), max_size=9), max_size=5))
def test_content_keys_follow_the_reference(rows: list[list[int]]) -> None:
    keys = batch(rows, keys=None).keys
    assert keys.tolist() == [ref.content_key(row) for row in rows]


def test_content_keys_differ_between_rows() -> None:
    rows = [[], [0], [0, 0], [1, 2], [2, 1], [1, 2, 0]]
    assert len(set(batch(rows, keys=None).keys.tolist())) == len(rows)
    assert content_keys(np.array([7, 8, 7, 8]), np.array([0, 2, 4])).tolist()[0] == (
        ref.content_key([7, 8])
    )


@given(st.lists(words64, min_size=1, max_size=4))
def test_key_hash_follows_the_reference(words: list[int]) -> None:
    assert hash_words(*words).tolist() == [ref.hash_words(*words)]


@given(words64, st.text(max_size=8))
def test_derive_follows_the_reference(key: int, name: str) -> None:
    expected = ref.hash_words(ref.text_key(name), key)
    assert derive(np.array([key], np.uint64), name).tolist() == [expected]


@given(seeds, st.integers(0, 2**62), words64, st.text(max_size=8), st.integers(0, 9))
def test_streams_follow_the_reference(seed: int, t: int, key: int, purpose: str, n: int) -> None:
    sample = ref.Sample(seed, t, key)
    rng = Rng.at(seed, t, [key])
    assert rng.stream_keys(purpose).tolist() == [sample.stream(purpose)]
    assert rng.bits(purpose, [n], draw=2).tolist() == sample.words(purpose, n, draw=2)


@given(st.lists(st.integers(0, 40), max_size=6))
def test_word_j_does_not_depend_on_the_count(counts: list[int]) -> None:
    rng = Rng.at(5, 1, range(len(counts)))
    most = rng.bits("x", [40] * len(counts)).reshape(-1, 40)
    expected = [row[:n] for row, n in zip(most, counts, strict=True)]
    assert rng.bits("x", counts).tolist() == np.concatenate([[], *expected]).tolist()


def test_uniform_bernoulli_and_integers_follow_bits() -> None:
    rng = Rng.at(5, 1, [8, 9])
    words = rng.bits("x", [3, 4]).astype(np.uint64)
    assert rng.uniform("x", [3, 4]).tolist() == (words / 2**32).tolist()
    assert rng.bernoulli("x", [3, 4], 0.5).tolist() == (words < 2**31).tolist()
    assert rng.integers("x", [3, 4], 10).tolist() == [int(w) * 10 >> 32 for w in words]


def test_t_and_progress_can_differ_by_sample() -> None:
    rng = Rng.at(5, np.array([1, 2]), [8, 8], np.array([0.0, 1.0]))
    alone = Rng.at(5, 2, [8], 1.0)
    assert rng.bits("x", [3, 4])[3:].tolist() == alone.bits("x", [4]).tolist()
    line = maskplug.part("schedule", "linear", start=0.3, end=0.1)
    assert rng.value(line).tolist() == [0.3, 0.1]
    assert rng.value(0.25).tolist() == [0.25, 0.25]


def first_bits(seed: int, t: int, keys: range, purpose: str = "x") -> np.ndarray:
    """32 bits a sample, as a bool matrix."""
    words = Rng.at(seed, t, keys).bits(purpose, [1] * len(keys))
    return np.unpackbits(words.view(np.uint8)).astype(bool).reshape(len(keys), 32)


N = 20_000
BASE = {"seed": 7, "t": 3, "keys": range(N), "purpose": "x"}


@pytest.mark.parametrize(
    "neighbour",
    [
        {"keys": range(1, N + 1)},
        {"keys": range(2**32, 2**32 + N)},
        {"seed": 8},
        {"seed": 7 + 2**32},
        {"t": 4},
        {"purpose": "y"},
        {"seed": 3, "t": 7},
    ],
    ids=str,
)
def test_neighbours_are_uncorrelated(neighbour: dict[str, object]) -> None:
    here, there = first_bits(**BASE), first_bits(**{**BASE, **neighbour})
    agree = (here == there).sum(axis=0)
    assert all(likely(count, N, 0.5) for count in agree)
    assert likely(agree.sum(), 32 * N, 0.5)


def test_draws_are_uncorrelated() -> None:
    rng = Rng.at(7, 3, range(N))
    one, other = (rng.uniform("x", [1] * N, draw=draw) for draw in (0, 1))
    assert likely(((one < 0.5) == (other < 0.5)).sum(), N, 0.5)


def test_words_are_uniform() -> None:
    values = Rng.at(1, 0, range(N)).integers("x", [5] * N, 64)
    assert fits(np.bincount(values, minlength=64), np.ones(64))


def test_streams_of_many_samples_are_distinct() -> None:
    keys = np.arange(200_000, dtype=np.uint64)
    assert len(np.unique(Rng.at(1, 0, keys).stream_keys("x"))) == len(keys)
    times = np.arange(200_000)
    assert len(np.unique(Rng.at(1, times, np.zeros_like(keys)).stream_keys("x"))) == len(keys)
