"""Philox4x32-10 matches published answers and the scalar reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskplug.kernels.philox import (
    block,
    fill,
    first_word,
    mix64,
    room,
    sample_hashes,
    stream_hashes,
    streams,
)
from support import reference as ref
from support.flat import integers, joined, row_offsets, stream_keys

ANSWERS = [
    ("00000000 " * 4, "00000000 " * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff " * 4, "ffffffff " * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (
        "243f6a88 85a308d3 13198a2e 03707344",
        "a4093822 299f31d0",
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]
lane = st.integers(0, 2**32 - 1)
word = st.integers(0, 2**64 - 1)


def lanes(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


@pytest.mark.parametrize(("counter", "key", "words"), ANSWERS)
def test_published_known_answers(counter: str, key: str, words: str) -> None:
    assert list(block(*map(np.uint32, lanes(counter) + lanes(key)))) == lanes(words)
    assert list(ref.philox(tuple(lanes(counter)), tuple(lanes(key)))) == lanes(words)


@given(st.lists(lane, min_size=6, max_size=6))
def test_block_matches_reference(drawn: list[int]) -> None:
    expected = ref.philox(tuple(drawn[:4]), tuple(drawn[4:]))
    assert block(*map(np.uint32, drawn)) == expected


@given(st.integers(0, 2**64 - 1))
def test_mix64_matches_reference(z: int) -> None:
    assert int(mix64(np.uint64(z))) == ref.mix64(z)


@given(st.integers(0, 2**64 - 1), st.integers(0, 140), st.integers(0, 3))
def test_fill_matches_reference_and_stays_inside_the_buffer(
    key: int, count: int, draw: int
) -> None:
    out = np.full(len(room(count)) + 8, 77, np.uint32)
    fill(out, count, np.uint64(key), draw)
    assert out[:count].tolist() == ref.words(key, count, draw)
    assert (out[len(room(count)) :] == 77).all()


@given(st.integers(0, 2**64 - 1), st.integers(0, 3))
def test_first_word(key: int, draw: int) -> None:
    assert first_word(np.uint64(key), draw) == ref.words(key, 1, draw)[0]


@given(word, st.lists(st.tuples(st.integers(0, 2**63 - 1), word), max_size=5), word)
def test_hashes_of_samples_and_streams(
    seed: int, rows: list[tuple[int, int]], purpose: int
) -> None:
    times, keys = integers([t for t, _ in rows]), stream_keys([key for _, key in rows])
    samples, streams = np.empty_like(keys), np.empty_like(keys)
    sample_hashes(np.uint64(seed), times, keys, samples)
    assert samples.tolist() == [ref.hash_words(seed, t, key) for t, key in rows]
    stream_hashes(samples, np.uint64(purpose), streams)
    assert streams.tolist() == [ref.hash_words(seed, t, key, purpose) for t, key in rows]


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 9)), max_size=5))
def test_streams_concatenate_the_rows(rows: list[tuple[int, int]]) -> None:
    keys, offsets = stream_keys([key for key, _ in rows]), row_offsets([n for _, n in rows])
    expected = joined([ref.words(key, count, 1) for key, count in rows])
    assert streams(keys, offsets, 1).tolist() == expected
