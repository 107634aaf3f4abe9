"""Every strategy: any clock and schedule, copies of results, and rows without maskable tokens."""

from __future__ import annotations

import copy
import inspect
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug import Masked, TokenBatch
from maskplug.collate import pad, visible
from maskplug.objectives.xlnet import perm_mask, target_labels, target_mapping
from maskplug.plugins import registry
from maskplug.registry import BUILTIN
from maskplug.schedule import Linear
from maskplug.testing.outcome import by_row
from maskplug.warm_up import warm_up
from support.batches import ORDINARY
from support.cases import ENTRIES, LABELS, RICH, case

#: Rows of several sentences (7 and 9 end one).
ROWS = [[2, *np.resize([*ORDINARY[k:], 7, 12, 9], 40 + k).tolist(), 3] for k in range(12)]

BATCHES: dict[str, list[list[int]]] = {
    "no row": [],
    "one empty row": [[]],
    "empty rows": [[], [], []],
    "one special token": [[3]],
    "two special tokens": [[2, 3]],
    "padding": [[0, 0, 0]],
    "masks": [[4, 4], [4]],
    "all of them": [[], [2, 3], [0], [4], [2, 59, 1, 3], []],
}
SHORT: dict[str, list[list[int]]] = {
    "one token": [[5]],
    "two tokens": [[5, 6]],
    "between special tokens": [[2, 5, 3], [2, 5, 6, 3]],
    "among rows without any": [[], [5], [2, 3], [5, 6], []],
}


def taking(option: str, kind: str = "") -> list[str]:
    """Return the strategies with this option, annotated with ``kind``."""
    options = {e.label: inspect.signature(e.factory).parameters for e in ENTRIES}
    return [x for x, o in options.items() if option in o and kind in str(o[option].annotation)]


def tokens(label: str) -> TokenBatch:
    return case(label).batch(TokenBatch.from_lists(ROWS, keys=range(len(ROWS))))


def assert_same_rows(tokens: TokenBatch, one: Masked, other: Masked) -> None:
    assert by_row(tokens, one) == by_row(tokens, other)


def strategy(label: str, **options: Any) -> maskplug.Strategy:
    return maskplug.strategy(label, **{**case(label).options, **options})


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
    assert_same_rows(tokens(label), there, direct)


@pytest.mark.parametrize("label", taking("rate", "Schedule"))
def test_schedule_equals_its_value(label: str) -> None:
    scheduled = strategy(label, rate=Linear(0.25, 0.5))
    assert scheduled.needs_progress
    there = scheduled(tokens(label), RICH, seed=3, epoch=2, progress=0.5)
    direct = strategy(label, rate=0.375)(tokens(label), RICH, seed=3, epoch=2)
    assert_same_rows(tokens(label), there, direct)


def test_all_clocks_are_tested() -> None:
    names = {entry.name for entry in registry().of_kind("clock") if entry.provider == BUILTIN}
    assert names == {"never", "epoch", "step", "every", "cycle"}


@pytest.mark.parametrize("label", LABELS)
def test_copies_of_results_are_equal(label: str) -> None:
    masked = strategy(label)(tokens(label), RICH, seed=5, epoch=1)
    for copied in (pickle.loads(pickle.dumps(masked)), copy.copy(masked), copy.deepcopy(masked)):
        assert_same_rows(tokens(label), copied, masked)


def masked_batch(
    label: str, rows: list[list[int]], protected: bool, seed: int
) -> tuple[TokenBatch, Masked]:
    tokens = case(label).batch(TokenBatch.from_lists(rows, keys=range(len(rows))))
    if protected:
        annotations = {**tokens.annotations, "protected": np.ones(len(tokens.ids), bool)}
        tokens = TokenBatch(tokens.ids, tokens.offsets, tokens.keys, annotations)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return tokens, case(label).make(label)(tokens, RICH, seed=seed, epoch=seed)


def ordinary(rows: Any) -> list[list[int]]:
    return [[i for i in row if i >= 0 and not RICH.special[i]] for row in rows.to_lists()]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("label", LABELS)
def test_unmaskable_rows_are_unchanged(label: str, seed: int) -> None:
    batches = [(rows, False) for rows in BATCHES.values()]
    batches += [(rows, True) for rows in SHORT.values()]
    for rows, protected in batches:
        tokens, masked = masked_batch(label, rows, protected, seed)
        assert len(masked.inputs) == len(rows)
        assert ordinary(masked.inputs) == ordinary(maskplug.Ragged(tokens.ids, tokens.offsets))
        assert masked.selection.lengths.sum() == 0
        if masked.labels is not None and label != "fim@1":  # which predicts its inputs
            assert (masked.labels.values == -100).all()
        if masked.targets is not None:  # what was chosen, or the original
            assert ordinary(masked.targets) in ([[] for _ in rows], ordinary(masked.inputs))
        if masked.weights is not None:
            assert (masked.weights == 0).all()
        if masked.divisors is not None:
            assert masked.divisors.tolist() == [0] * len(rows)


@pytest.mark.parametrize("label", LABELS)
def test_empty_results_can_be_collated(label: str) -> None:
    for rows in (*BATCHES.values(), *SHORT.values()):
        _, masked = masked_batch(label, rows, False, 0)
        warm_up(masked)
        for ragged in (masked.inputs, masked.labels, masked.targets):
            if ragged is not None:
                assert pad(ragged, 0).shape == (len(rows), ragged.lengths.max(initial=0))
                assert visible(ragged.lengths, 3 + ragged.lengths.max(initial=0)).sum() >= 0
        if "order" in masked.annotations and masked.labels is not None:
            order = pad(maskplug.Ragged(masked.annotations["order"], masked.inputs.offsets), -1)
            labels = pad(masked.labels, -100)
            assert perm_mask(order, np.float32).shape == (*order.shape, order.shape[1])
            predicted = target_mapping(order, np.float32).shape[1]
            assert target_labels(order, labels).shape == (len(rows), predicted)
