"""Masks never change under a name: one hash for every strategy@version and epoch."""

from __future__ import annotations

import json
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maskplug
from support.batches import ORDINARY, VOCAB
from support.cases import LABELS, RICH, case

FILE = Path(__file__).with_name("golden.json")
GOLDEN: dict[str, list[str]] = json.loads(FILE.read_text())
#: Hashed with the vocabulary of ``batches``; all others with the rich one.
PLAIN = {
    *("none@1", "static@1", "dynamic@1", "whole_word@1", "span@1", "word_dropout@1"),
    "compose@1",
}
LENGTHS = [0, 1, 2, 5, 12, 33, 64, 128, 200]
ROWS = [[2, *np.resize(ORDINARY[n % 7 :], n).tolist(), 3] for n in LENGTHS] + [[], [3, 3], [4, 9]]


def as_bytes(array: Any) -> bytes:
    return array.astype("<f8" if array.dtype.kind == "f" else "<i8").tobytes()  # type: ignore[no-any-return]


def hashes(label: str) -> list[str]:
    """Return one hash of all results of each of three epochs, as little-endian 64-bit values."""
    strategy = case(label).make(label)
    tokens = maskplug.TokenBatch.from_lists(ROWS, keys=[f"sample {i}" for i in range(len(ROWS))])
    tokens = case(label).batch(tokens)
    vocab = VOCAB if label in PLAIN else RICH
    digests = []
    for epoch in range(3):
        masked = strategy(tokens, vocab, seed=2024, epoch=epoch)
        results = (masked.inputs, masked.labels, masked.targets)
        arrays = [a for r in results if r is not None for a in (r.values, r.offsets)]
        extras = {**masked.annotations, **masked.target_annotations}
        arrays += [extras[name] for name in sorted(extras)]
        arrays += [] if masked.weights is None else [masked.weights]
        data = b"".join(map(as_bytes, arrays))
        digests.append(blake2b(data, digest_size=8).hexdigest())
    return digests


def test_every_built_in_strategy_has_its_hashes() -> None:
    missing = sorted(set(LABELS) - set(GOLDEN))
    assert not missing, f"add to {FILE.name}: " + json.dumps({x: hashes(x) for x in missing})
    gone = sorted(set(GOLDEN) - set(LABELS))
    assert not gone, f"{gone} are gone; old versions stay available"


@pytest.mark.parametrize("label", [label for label in LABELS if label in GOLDEN])
def test_golden_hashes(label: str) -> None:
    assert hashes(label) == GOLDEN[label], (
        f"{label} draws other masks than it did for the same keys. If that is meant, register the "
        "change under the next version, keep this one as it was, and add the new hashes to "
        f"{FILE.name}; see docs/randomness.md"
    )


def test_hashes_differ_between_epochs() -> None:
    still = {"none@1", "static@1"}
    for label, digests in GOLDEN.items():
        assert len(set(digests)) == (1 if label in still else 3), label
    assert GOLDEN["static@1"][0] == GOLDEN["dynamic@1"][0]


if __name__ == "__main__":  # adds the hashes of strategies that have none, and changes no other
    added = {label: hashes(label) for label in LABELS if label not in GOLDEN}
    kept = ",\n".join(f'  "{x}": {json.dumps(v)}' for x, v in sorted({**GOLDEN, **added}.items()))
    FILE.write_text("{\n" + kept + "\n}\n")
