import numpy as np
import pytest

import maskplug


def seen(base: int, length: int, **more: object) -> list[list[int]]:
    """Return the keys that each query sees."""
    dense = maskplug.pattern("log_sparse", base=base).dense(length, **more)[0, 0]
    return [np.flatnonzero(row).tolist() for row in dense]


def test_distances_are_powers_of_the_base() -> None:
    assert seen(2, 18)[17] == [1, 9, 13, 15, 16, 17]
    assert seen(3, 18)[17] == [8, 14, 16, 17]
    assert seen(2, 4) == [[0], [0, 1], [0, 1, 2], [1, 2, 3]]


def test_pattern_is_causal_and_sees_one_more_key_when_the_length_doubles() -> None:
    rows = seen(2, 200)
    assert all(max(row) == q for q, row in enumerate(rows))
    assert [len(row) for row in rows] == [1 + q.bit_length() for q in range(200)]


def test_left_padding_does_not_matter() -> None:
    padded = seen(2, 7, valid=[[0, 0, 1, 1, 1, 1, 1]])
    assert [[key - 2 for key in row] for row in padded[2:]] == seen(2, 5)


def test_last_queries_with_a_cache() -> None:
    assert seen(2, 2, kv_len=9, offset=7) == seen(2, 9)[7:]


def test_invalid_base() -> None:
    with pytest.raises(maskplug.OptionError, match="'base' is 1"):
        maskplug.pattern("log_sparse", base=1)


def test_pattern_is_registered_with_its_distribution() -> None:
    from maskplug.plugins import registry

    assert registry().find("pattern", "log_sparse").provider == "maskplug-example"
