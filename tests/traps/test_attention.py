"""Defects and contradictions of reference code that attention patterns avoid."""

from __future__ import annotations

import numpy as np
import pytest

from maskplug.attention import Dilated, Pattern, WaitK, Window

LENGTH = 12
q, k = np.arange(LENGTH)[:, None], np.arange(LENGTH)[None]
away = np.abs(q - k)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_trap_21_left_and_right_exclude_the_token_itself(width: int) -> None:
    counts = Window(left=width, right=1).dense(LENGTH)[0, 0, :, :].sum(1)
    assert (counts[width:-1] == width + 2).all()
    counts = Dilated(left=width, right=1, dilation=2).dense(LENGTH)[0, 0].sum(1)
    assert (counts[2 * width : -2] == width + 2).all()


@pytest.mark.parametrize("width", [2, 4])
def test_trap_21_five_window_conventions_have_names(width: int) -> None:
    causal = k <= q
    named: list[tuple[Pattern, object]] = [
        (Window.attention_gym(width), causal & (q - k <= width)),
        (Window.huggingface(width), causal & (k > q - width)),
        (Window.huggingface(width, causal=False), away <= width),
        (Window.longformer(width), away <= width // 2),
        (Dilated.attention_gym(width, 2), (away <= width) & (away % 2 == 0)),
    ]
    for pattern, theirs in named:
        assert (pattern.dense(LENGTH)[0, 0] == theirs).all()
    assert len({pattern.dense(LENGTH).tobytes() for pattern, _ in named}) == 5


@pytest.mark.parametrize("k", [1, 3, 9, 20])
def test_trap_22_wait_k_sees_the_full_source_at_its_end(k: int) -> None:
    # Rows past the end of the source were all zero, unless the lost mass was added later.
    valid = [[1] * n + [0] * (9 - n) for n in range(1, 10)]
    seen = WaitK(k).dense(30, 9, attention_kind="cross", valid=valid)
    for length, rows in enumerate(seen[:, 0], 1):
        assert rows.sum(-1).tolist() == [min(k + q, length) for q in range(30)]
        assert rows[:, 0].all()
