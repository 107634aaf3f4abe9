"""Masks never change under a name: one hash for every strategy@version and epoch."""

from __future__ import annotations

import json
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from batches import ORDINARY, VOCAB

import maskplug
from maskplug.plugins import registry
from maskplug.registry import BUILTIN

FILE = Path(__file__).with_name("golden.json")
GOLDEN: dict[str, list[str]] = json.loads(FILE.read_text())
OPTIONS: dict[str, dict[str, Any]] = {"compose@1": {"selector": "independent"}}
LABELS = [e.label for e in registry().of_kind("strategy") if e.provider == BUILTIN]
LENGTHS = [0, 1, 2, 5, 12, 33, 64, 128, 200]
ROWS = [[2, *np.resize(ORDINARY[n % 7 :], n).tolist(), 3] for n in LENGTHS] + [[], [3, 3], [4, 9]]


def hashes(label: str) -> list[str]:
    """One hash of inputs and labels for each of three epochs, as little-endian int64."""
    strategy = maskplug.strategy(label, **OPTIONS.get(label, {}))
    tokens = maskplug.TokenBatch.from_lists(ROWS, keys=[f"sample {i}" for i in range(len(ROWS))])
    found = []
    for epoch in range(3):
        masked = strategy(tokens, VOCAB, seed=2024, epoch=epoch)
        results = (masked.inputs, masked.labels, masked.targets)
        arrays = [a for r in results if r is not None for a in (r.values, r.offsets)]
        data = b"".join(array.astype("<i8").tobytes() for array in arrays)
        found.append(blake2b(data, digest_size=8).hexdigest())
    return found


def test_every_built_in_strategy_has_its_hashes() -> None:
    missing = sorted(set(LABELS) - set(GOLDEN))
    assert not missing, f"add to {FILE.name}: " + json.dumps({x: hashes(x) for x in missing})
    gone = sorted(set(GOLDEN) - set(LABELS))
    assert not gone, f"{gone} are gone; old versions stay available"


@pytest.mark.parametrize("label", [label for label in LABELS if label in GOLDEN])
def test_masks_are_those_of_the_version(label: str) -> None:
    assert hashes(label) == GOLDEN[label], (
        f"{label} draws other masks than it did for the same keys. If that is meant, register the "
        "change under the next version, keep this one as it was, and add the new hashes to "
        f"{FILE.name}; see docs/randomness.md"
    )


def test_hashes_tell_strategies_and_epochs_apart() -> None:
    still = {"none@1", "static@1"}
    for label, found in GOLDEN.items():
        assert len(set(found)) == (1 if label in still else 3)
    firsts = [found[0] for label, found in GOLDEN.items() if label != "static@1"]
    assert len(set(firsts)) == len(firsts)
    assert GOLDEN["static@1"][0] == GOLDEN["dynamic@1"][0]
