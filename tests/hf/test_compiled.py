"""Workers compile nothing: making the collator runs all that a batch needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug_hf import DataCollatorForMasking, DataCollatorForPacking
from support import hf_tokenizers as tokenizers
from support.cases import CASES, RICH
from support.compiling import forget, no_kernel_needed, run
from support.kernel_uses import LABELS, ROWS


def test_workers_compile_nothing(tmp_path: Path) -> None:
    found = run(str(Path(__file__).parent / "hf_workers.py"), cache=tmp_path)
    for method in ("fork", "spawn", "forkserver"):
        assert len(found[method]["processes"]) == 2, method
        assert found[method]["compiled"] == [], method
    assert found["kept"] > 10
    assert found["added"] == []


def features(made: maskplug.Strategy, kind: Any) -> list[dict[str, Any]]:
    columns = dict.fromkeys(made.required_annotations, 1)
    return [
        {
            "input_ids": kind(row),
            **{name: kind([value] * len(row)) for name, value in columns.items()},
        }
        for row in ROWS
    ]


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("kind", [list, np.array], ids=["lists", "arrays"])
def test_no_batch_needs_a_kernel_that_was_not_tried(label: str, kind: Any) -> None:
    made = CASES[label].make(label) if label in CASES else maskplug.strategy(label)
    forget()
    collator = DataCollatorForMasking(tokenizers.bert(), made, seed=1, vocabulary=RICH)
    collator.set_epoch(0)
    with no_kernel_needed():
        for epoch in range(3):
            collator.set_epoch(epoch)
            collator(features(made, kind))


def test_no_packed_batch_needs_a_kernel_that_was_not_tried() -> None:
    made = maskplug.strategy("span")
    forget()
    collator = DataCollatorForPacking(
        tokenizers.bert(), made, seed=1, vocabulary=RICH, max_length=64
    )
    collator.set_epoch(0)
    with no_kernel_needed():
        collator(features(made, list))
