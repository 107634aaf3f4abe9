"""The global generators of random numbers, which nothing may read or move."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


def states() -> dict[str, Any]:
    """The state of every global generator; torch's only where something has imported torch."""
    legacy: Any = np.random.get_state(legacy=True)  # noqa: NPY002
    found = {"random": random.getstate(), "numpy.random": (legacy[1].tolist(), *legacy[2:])}
    if "torch" in sys.modules:
        found["torch"] = sys.modules["torch"].get_rng_state().tolist()
    return found


def seed_all(seed: int) -> None:
    """Seed every one of them."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


@contextmanager
def restored() -> Iterator[None]:
    """Puts the global generators back afterwards."""
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002
    torch = sys.modules.get("torch")
    state = torch.get_rng_state() if torch else None
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002
        if torch:
            torch.set_rng_state(state)
