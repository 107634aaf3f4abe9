"""Tests of the replacements ``permute``, ``rotate`` and ``shuffle``."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from maskplug import Ragged, Replacement, Rng, TokenBatch
from maskplug.errors import OptionError
from maskplug.replacements import Permute, Rotate, Shuffle
from maskplug.schedule import Linear
from maskplug.selectors import Nothing
from support.batches import MASK, batch, likely, uniform
from support.cases import RICH

N = 24_000
#: Four sentences of different lengths, the last one without a full stop.
TEXT = [2, 10, 7, 11, 12, 7, 13, 14, 15, 9, 16, 3]


def replaced(part: Replacement, tokens: TokenBatch, **time: Any) -> Ragged:
    rng = Rng.at(time.pop("seed", 7), 0, tokens.keys, **time)
    return part.replace(tokens, Nothing().select(tokens, RICH, rng), RICH, rng)


def orders(part: Replacement, row: list[int], samples: int = N) -> Counter[tuple[int, ...]]:
    return Counter(map(tuple, replaced(part, batch([row] * samples)).to_lists()))


def test_orders_of_four_sentences_are_uniform() -> None:
    seen = orders(Permute(), TEXT)
    assert uniform(seen.elements(), 24)
    assert likely(seen[tuple(TEXT)], N, 1 / 24)
    assert (2, 16, 13, 14, 15, 9, 10, 7, 11, 12, 7, 3) in seen


def test_share_of_permuted_units() -> None:
    row = list(range(10, 20))
    moved = np.array(replaced(Permute(0.3, "token"), batch([row] * 4_000)).to_lists()) != row
    counts = moved.sum(axis=1)
    assert set(counts.tolist()) == {0, 2, 3}  # of six orders of three, one keeps all and three one
    assert likely((counts == 0).sum(), 4_000, 1 / 6)
    assert likely((counts == 3).sum(), 4_000, 1 / 3)
    assert all(likely(hit, 4_000, 0.2) for hit in moved.sum(axis=0))


def test_a_share_of_zero_and_schedules() -> None:
    tokens = batch([TEXT] * 50)
    for part in (Permute(0.0), Rotate(0.0), Shuffle(1)):
        assert replaced(part, tokens).to_lists() == [TEXT] * 50
    for part in (Permute(Linear(0.0, 1.0)), Rotate(Linear(0.0, 1.0))):
        late = np.arange(50) % 2
        out = replaced(part, tokens, progress=late.astype(float)).to_lists()
        assert all(out[i] == TEXT for i in range(0, 50, 2))
        assert any(out[i] != TEXT for i in range(1, 50, 2))


def test_rotations_are_uniform() -> None:
    row = [2, 10, 11, MASK, 12, 13, 3]
    inside = row[1:-1]
    seen = orders(Rotate(), row, 10_000)
    assert set(seen) == {(2, *inside[i:], *inside[:i], 3) for i in range(5)}
    assert uniform(seen.elements(), 5)


def test_rotation_rate() -> None:
    seen = orders(Rotate(0.4), [10, 11, 12, 13], 10_000)
    assert likely(seen[10, 11, 12, 13], 10_000, 0.6 + 0.4 / 4)


def test_shuffled_words_move_little_and_stay_whole() -> None:
    row = [token for word in range(10, 34, 2) for token in (word, word + 1)]
    out = np.array(replaced(Shuffle(3), batch([row] * 4_000)).to_lists()).reshape(-1, 12, 2)
    assert (out[..., 1] == out[..., 0] + 1).all()
    moves = (out[..., 0] - 10) // 2 - np.arange(12)
    assert np.abs(moves).max() == 2
    assert np.abs(moves).min() == 0
    neighbours = orders(Shuffle(2), [10, 12], 10_000)
    # The first is after the second if U(0, 2) > 1 + U'(0, 2): in an eighth of all cases.
    assert likely(neighbours[12, 10], 10_000, 1 / 8)


def test_large_distance_reaches_all_orders() -> None:
    assert len(orders(Shuffle(1 << 20), [10, 12, 14], 3_000)) == 6


def test_protected_tokens_stay() -> None:
    protected = [i in (1, 2) or i == 8 for i in range(len(TEXT))]
    tokens = batch([TEXT] * 60, protected=[protected] * 60)
    for part in (Permute(1.0, "token"), Rotate(), Shuffle(9, "token")):
        for new in replaced(part, tokens).to_lists():
            assert new[:3] == TEXT[:3]
            assert new[8] == TEXT[8]


def test_protected_masks_do_not_rotate() -> None:
    tokens = batch([[10, MASK, 12, MASK]] * 60, protected=[[0, 1, 0, 0]] * 60)
    out = replaced(Rotate(), tokens).to_lists()
    assert {row[1] for row in out} == {MASK}
    assert {tuple(row) for row in out} == {(10, 4, 12, 4), (12, 4, 4, 10), (4, 4, 10, 12)}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Permute(1.1), "'share' is 1.1"),
        (lambda: Rotate(-0.5), "'rate' is -0.5"),
        (lambda: Shuffle(0), "'distance' is 0; it must be a whole number from 1 to 16,777,215"),
        (lambda: Shuffle(1 << 24), "'distance' is 16777216"),
    ],
)
def test_bad_options(make: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        make()
