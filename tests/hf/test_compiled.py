"""Workers compile no kernels: the collator's constructor compiles all that a batch needs."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug_hf import DataCollatorForMasking, DataCollatorForPacking
from support import hf_tokenizers as tokenizers
from support import hf_workers
from support.cases import CASES, RICH
from support.compiling import forget, no_kernel_needed, run
from support.kernel_uses import LABELS, ROWS

#: Strategies of different kinds, and types of rows; all others are slow tests.
SMALL = [("dynamic@1", list), ("dynamic@1", np.array), ("t5@1", list), ("permutation@1", list)]


@pytest.mark.slow
def test_workers_compile_nothing(tmp_path: Path) -> None:
    """With an empty cache of kernels; the tests below are its small form."""
    methods = ["fork", "spawn", "forkserver"]
    report = run(hf_workers.__file__, *methods, cache=tmp_path)
    for method in methods:
        assert len(report[method]["processes"]) == 2, method
        assert report[method]["compiled"] == [], method
    assert report["kept"] > 10
    assert report["added"] == []


def features(strategy: maskplug.Strategy, kind: Any = list) -> list[dict[str, Any]]:
    columns = dict.fromkeys(strategy.required_annotations, 1)
    return [
        {
            "input_ids": kind(row),
            **{name: kind([value] * len(row)) for name, value in columns.items()},
        }
        for row in ROWS
    ]


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        pytest.param(*case, marks=() if case in SMALL else pytest.mark.slow)
        for case in itertools.product(LABELS, [list, np.array])
    ],
)
def test_warm_up_compiles_every_kernel_of_a_batch(label: str, kind: Any) -> None:
    strategy = CASES[label].make(label) if label in CASES else maskplug.strategy(label)
    forget()
    collator = DataCollatorForMasking(tokenizers.bert(), strategy, seed=1, vocabulary=RICH)
    collator.set_epoch(0)
    with no_kernel_needed():
        for epoch in range(3):
            collator.set_epoch(epoch)
            collator(features(strategy, kind))


def test_warm_up_compiles_every_kernel_of_a_packed_batch() -> None:
    strategy = maskplug.strategy("span")
    forget()
    options = {"seed": 1, "vocabulary": RICH, "max_length": 64}
    collator = DataCollatorForPacking(tokenizers.bert(), strategy, **options)
    collator.set_epoch(0)
    with no_kernel_needed():
        collator(features(strategy))
