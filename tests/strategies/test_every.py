"""Every strategy with any clock and schedule: masks depend on t only."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug import Masked, TokenBatch
from maskplug.plugins import registry
from maskplug.registry import BUILTIN
from maskplug.schedule import Linear
from support.batches import ORDINARY
from support.cases import RICH, case

ENTRIES = [e for e in registry().of_kind("strategy") if e.provider == BUILTIN]
#: Rows of several sentences (7 and 9 end one).
ROWS = [[2, *np.resize([*ORDINARY[k:], 7, 12, 9], 40 + k).tolist(), 3] for k in range(12)]


def taking(option: str, kind: str = "") -> list[str]:
    """Return the strategies with this option, annotated with ``kind``."""
    options = {e.label: inspect.signature(e.factory).parameters for e in ENTRIES}
    return [x for x, o in options.items() if option in o and kind in str(o[option].annotation)]


def tokens(label: str) -> TokenBatch:
    return case(label).batch(TokenBatch.from_lists(ROWS, keys=range(len(ROWS))))


def strategy(label: str, **options: Any) -> maskplug.Strategy:
    return maskplug.strategy(label, **{**case(label).options, **options})


def everything(masked: Masked) -> list[Any]:
    """Return all outputs of a strategy as lists."""
    rows = [masked.inputs, masked.labels, masked.targets]
    content = [None if r is None else r.to_lists() for r in rows]
    content += [None if a is None else a.tolist() for a in (masked.weights, masked.divisors)]
    for columns in (masked.annotations, masked.target_annotations):
        content.append({name: values.tolist() for name, values in columns.items()})
    return [*content, masked.selection.mask.tolist()]


# A mixture's clock redraws the choice of strategies, which keep their own clocks.
@pytest.mark.parametrize("label", [x for x in taking("clock") if x != "mixture@1"])
@pytest.mark.parametrize(
    ("clock", "t"),
    [
        ("never", 0),
        ("step", 11),
        ({"name": "every", "k": 2}, 3),
        ({"name": "every", "k": 4, "of": "step"}, 2),
        ({"name": "cycle", "k": 4}, 2),
    ],
    ids=str,
)
def test_masks_depend_on_t_for_any_clock(label: str, clock: Any, t: int) -> None:
    there = strategy(label, clock=clock)(tokens(label), RICH, seed=3, epoch=6, step=11)
    direct = strategy(label, clock="epoch")(tokens(label), RICH, seed=3, epoch=t)
    assert everything(there) == everything(direct)


@pytest.mark.parametrize("label", taking("rate", "Schedule"))
def test_schedule_equals_its_value(label: str) -> None:
    scheduled = strategy(label, rate=Linear(0.25, 0.5))
    assert scheduled.needs_progress
    there = scheduled(tokens(label), RICH, seed=3, epoch=2, progress=0.5)
    direct = strategy(label, rate=0.375)(tokens(label), RICH, seed=3, epoch=2)
    assert everything(there) == everything(direct)


def test_all_clocks_are_tested() -> None:
    names = {entry.name for entry in registry().of_kind("clock") if entry.provider == BUILTIN}
    assert names == {"never", "epoch", "step", "every", "cycle"}


@pytest.mark.parametrize("label", [entry.label for entry in ENTRIES])
def test_copies_of_results_are_equal(label: str) -> None:
    masked = strategy(label)(tokens(label), RICH, seed=5, epoch=1)
    for copied in (pickle.loads(pickle.dumps(masked)), copy.copy(masked), copy.deepcopy(masked)):
        assert everything(copied) == everything(masked)
