"""Rows and batches without maskable tokens are unchanged by every strategy."""

from __future__ import annotations

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
from maskplug.warm_up import warm_up
from support.cases import RICH, case

LABELS = [e.label for e in registry().of_kind("strategy") if e.provider == BUILTIN]
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


def made(
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
        tokens, masked = made(label, rows, protected, seed)
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
        _, masked = made(label, rows, False, 0)
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


@pytest.mark.parametrize("label", LABELS)
def test_short_rows_do_not_depend_on_the_batch(label: str) -> None:
    for rows in SHORT.values():
        tokens, together = made(label, rows, False, 1)
        for i in range(len(rows)):
            alone = case(label).make(label)(tokens.row(i), RICH, seed=1, epoch=1)
            assert alone.inputs.to_lists()[0] == together.inputs.to_lists()[i]
            for name in ("labels", "targets"):
                one, all_ = getattr(alone, name), getattr(together, name)
                assert (one is None) == (all_ is None)
                assert one is None or one.to_lists()[0] == all_.to_lists()[i]
