"""(epoch, step) → t."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug.clock import Cycle, Epoch, Every, Never, Step
from support.batches import VOCAB, equal_rows

EPOCHS = np.arange(25)
STEPS = np.arange(25) * 100 + 7


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        (Never(), EPOCHS * 0),
        (Epoch(), EPOCHS),
        (Step(), STEPS),
        (Every(3), EPOCHS // 3),
        (Every(1), EPOCHS),
        (Every(50, of="step"), STEPS // 50),
        (Cycle(), EPOCHS % 10),
        (Cycle(1), EPOCHS * 0),
    ],
    ids=repr,
)
def test_t_of_each_clock(clock: maskplug.Clock, expected: Any) -> None:
    assert clock(EPOCHS, STEPS).tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("clock", "needs"),
    [
        ("never", False),
        ("epoch", False),
        ("step", True),
        ({"name": "every", "k": 2}, False),
        ({"name": "every", "k": 2, "of": "step"}, True),
        ("cycle", False),
    ],
    ids=str,
)
def test_needs_step(clock: Any, needs: bool) -> None:
    assert maskplug.strategy("dynamic", clock=clock).needs_step is needs


def masks(clock: Any, **context: Any) -> bytes:
    strategy = maskplug.strategy("dynamic", rate=0.3, clock=clock)
    return strategy(equal_rows(4, 40), VOCAB, seed=1, **context).selection.mask.tobytes()


def test_masks_depend_on_t_only() -> None:
    expected = masks("epoch", epoch=6)
    assert expected != masks("epoch", epoch=7)
    assert expected == masks("step", step=6) == masks("step", step=6, epoch=5)
    assert expected == masks({"name": "every", "k": 2}, epoch=13) == masks("cycle", epoch=16)
