"""The one promise: a sample's mask depends on its key, seed, t and strategy, and nothing else."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskplug
from maskplug import Masked, TokenBatch
from support.batches import (
    EOS,
    MASK,
    ORDINARY,
    PAD,
    STRATEGIES,
    VOCAB,
    batch,
    equal_rows,
    likely,
    made,
    ragged,
    seeds,
)

every = pytest.mark.parametrize("case", STRATEGIES)
drawing = pytest.mark.parametrize("case", [case for case in STRATEGIES if case != "none"])


def lists(masked: Masked) -> list[tuple[list[int], list[int]]]:
    """Inputs and labels of every row."""
    assert masked.labels is not None
    return list(zip(masked.inputs.to_lists(), masked.labels.to_lists(), strict=True))


def flat(masked: Masked) -> list[Any]:
    assert masked.labels is not None
    return [masked.inputs.values.tolist(), masked.labels.values.tolist()]


@every
@given(rows=ragged(), seed=seeds, order=st.randoms(use_true_random=False))
def test_masks_do_not_depend_on_order_or_batch(
    case: str, rows: list[list[int]], seed: int, order: random.Random
) -> None:
    strategy = made(case)
    together = lists(strategy(batch(rows), VOCAB, seed=seed, epoch=3))
    picked = [i for i in range(len(rows)) if order.random() < 0.7]
    order.shuffle(picked)
    part = batch([rows[i] for i in picked], keys=picked)
    assert lists(strategy(part, VOCAB, seed=seed, epoch=3)) == [together[i] for i in picked]
    for i, row in enumerate(rows):
        assert lists(strategy(batch([row], keys=[i]), VOCAB, seed=seed, epoch=3)) == [together[i]]


# BERT's budget is a share of the row with its special tokens; padding alone leaves it alone.
@pytest.mark.parametrize("case", [case for case in STRATEGIES if not case.startswith("bert")])
@given(rows=ragged(), seed=seeds, left=st.integers(0, 3), right=st.integers(0, 5))
def test_masks_do_not_depend_on_special_tokens_around_a_sample(
    case: str, rows: list[list[int]], seed: int, left: int, right: int
) -> None:
    strategy = made(case)
    bare = lists(strategy(batch(rows), VOCAB, seed=seed, epoch=1))
    for before, after in (([2] * left, [EOS] + [PAD] * right), ([PAD] * left, [59] * right)):
        dressed = [[*before, *row, *after] for row in rows]
        for (inputs, labels), (plain, wanted) in zip(
            lists(strategy(batch(dressed), VOCAB, seed=seed, epoch=1)), bare, strict=True
        ):
            assert inputs == [*before, *plain, *after]
            assert labels == [-100] * len(before) + wanted + [-100] * len(after)


@every
def test_masks_do_not_depend_on_memory_layout(case: str) -> None:
    strategy = made(case)
    rows = np.resize(ORDINARY, (4, 12))
    expected = flat(strategy(batch(rows.tolist()), VOCAB, seed=1))
    frozen = rows.copy()
    frozen.flags.writeable = False
    strided = np.repeat(rows, 2, axis=1)[:, ::2]
    for form in (rows, rows.astype(np.int32), rows.astype(np.uint16), frozen, strided, rows[:]):
        assert flat(strategy(batch(list(form)), VOCAB, seed=1)) == expected
        flat_ids = form.reshape(-1) if form is not strided else np.repeat(rows.ravel(), 2)[::2]
        tokens = TokenBatch.from_flat(flat_ids, np.arange(5, dtype=np.int32) * 12, range(4))
        assert flat(strategy(tokens, VOCAB, seed=1)) == expected


@every
def test_arrays_of_the_caller_are_not_changed(case: str) -> None:
    rows = np.resize(ORDINARY, (6, 20)).astype(np.int64)
    keys = np.arange(6, dtype=np.uint64)
    protected = np.zeros(120, bool)
    offsets = np.arange(7) * 20
    before = [array.copy() for array in (rows, keys, protected, offsets)]
    tokens = TokenBatch.from_flat(rows.reshape(-1), offsets, keys, {"protected": protected})
    masked = made(case)(tokens, VOCAB, seed=1)
    for array, copy in zip((rows, keys, protected, offsets), before, strict=True):
        assert (array == copy).all()
        assert array.flags.writeable
    for result in (masked.inputs.values, masked.labels.values, masked.selection.mask):
        assert not result.flags.writeable


@drawing
def test_global_random_generators_are_not_used(case: str) -> None:
    torch = pytest.importorskip("torch")
    strategy, tokens = made(case), equal_rows(8, 30)

    def states() -> list[Any]:
        legacy = np.random.get_state()  # noqa: NPY002
        return [random.getstate(), legacy[1].tolist(), legacy[2], torch.get_rng_state().tolist()]

    before = states()
    first = flat(strategy(tokens, VOCAB, seed=1))
    assert states() == before
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    torch.manual_seed(5)
    assert flat(strategy(tokens, VOCAB, seed=1)) == first


@drawing
def test_seed_key_and_epoch_change_masks(case: str) -> None:
    strategy = made(case)
    base = flat(strategy(equal_rows(8, 30), VOCAB, seed=1))
    assert flat(strategy(equal_rows(8, 30), VOCAB, seed=1)) == base
    assert flat(strategy(equal_rows(8, 30), VOCAB, seed=2)) != base
    assert flat(strategy(equal_rows(8, 30, first_key=8), VOCAB, seed=1)) != base
    later = flat(strategy(equal_rows(8, 30), VOCAB, seed=1, epoch=1))
    assert (later == base) == (case == "static")


@drawing
def test_epochs_can_differ_by_sample(case: str) -> None:
    strategy, tokens = made(case), equal_rows(4, 30)
    mixed = lists(strategy(tokens, VOCAB, epoch=np.array([0, 5, 0, 7])))
    for i, epoch in enumerate([0, 5, 0, 7]):
        assert mixed[i] == lists(strategy(tokens.row(i), VOCAB, epoch=epoch))[0]


def test_default_key_is_the_content() -> None:
    rows = [np.resize(ORDINARY, 30).tolist()] * 2 + [np.resize(ORDINARY[1:], 30).tolist()]
    masks = made("dynamic")(TokenBatch.from_lists(rows), VOCAB).selection.mask.reshape(3, 30)
    assert (masks[0] == masks[1]).all()
    assert (masks[0] != masks[2]).any()


def test_masks_of_100000_samples_are_distinct() -> None:
    strategy = maskplug.strategy("dynamic", rate=0.15)
    seen = set()
    for first in range(0, 100_000, 20_000):
        tokens = equal_rows(20_000, 128, first_key=first)
        masks = np.packbits(strategy(tokens, VOCAB, seed=7).selection.mask.reshape(-1, 128), axis=1)
        seen.update(map(bytes, masks))
    assert len(seen) == 100_000


@pytest.mark.parametrize("neighbour", [{"seed": 2}, {"epoch": 1}, {"first_key": 1}], ids=str)
def test_masks_of_neighbours_are_uncorrelated(neighbour: dict[str, int]) -> None:
    samples, length = 5_000, 40
    strategy = maskplug.compose(maskplug.part("selector", "independent", rate=0.5))

    def mask(seed: int = 1, epoch: int = 0, first_key: int = 0) -> Any:
        tokens = equal_rows(samples, length, first_key)
        return strategy(tokens, VOCAB, seed=seed, epoch=epoch).selection.mask

    assert likely((mask() == mask(**neighbour)).sum(), samples * length, 0.5)


def test_positions_of_one_sample_are_uncorrelated() -> None:
    strategy = maskplug.compose(maskplug.part("selector", "independent", rate=0.5))
    mask = strategy(equal_rows(5_000, 40), VOCAB, seed=1).selection.mask.reshape(-1, 40)
    for lag in (1, 2, 3, 4, 8):
        agree = mask[:, lag:] == mask[:, :-lag]
        assert likely(agree.sum(), agree.size, 0.5)


def test_masks_are_equal_in_another_process() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from support.batches import *;"
        "print([made(c)(equal_rows(3, 30), VOCAB, seed=9, epoch=2).inputs.to_lists()"
        " for c in STRATEGIES])"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    here = [
        made(c)(equal_rows(3, 30), VOCAB, seed=9, epoch=2).inputs.to_lists() for c in STRATEGIES
    ]
    assert printed.strip() == str(here)


def test_mask_ids_in_the_input_are_kept() -> None:
    row = [MASK, 6, MASK, 8, MASK]
    for inputs, labels in lists(made("dynamic", rate=1.0)(batch([row] * 20), VOCAB)):
        assert inputs[::2] == [MASK] * 3
        assert labels == [-100, 6, -100, 8, -100]
