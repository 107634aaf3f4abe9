"""Tests of the strategy ``ul2``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given

import maskplug
from maskplug.errors import OptionError
from support.batches import batch, equal_rows, fits, ragged, seeds
from support.t5_rows import VOCAB

R, S, X = 60, 61, 62
N = 4_000


def modes_of(masked: maskplug.Masked) -> Any:
    return masked.inputs.values[masked.inputs.offsets[:-1]]


@given(ragged(), seeds)
def test_every_row_has_a_mode_and_a_target(rows: list[list[int]], seed: int) -> None:
    tokens = batch(rows)
    masked = maskplug.strategy("ul2")(tokens, VOCAB, seed=seed)
    assert np.isin(masked.inputs.values, [R, S, X]).sum() == len(rows)
    predicted = masked.selection.counts > 0
    assert (predicted == (maskplug.units(tokens, VOCAB).counts > 0)).all()
    assert (masked.targets.lengths[predicted] >= 2).all()


def test_denoisers_are_uniform_and_keep_their_budgets() -> None:
    tokens = equal_rows(N, 512)
    masked = maskplug.strategy("ul2")(tokens, VOCAB, seed=5)
    modes = modes_of(masked)
    counts = [(modes == mode).sum() for mode in (R, S, X)]
    assert fits(counts, [2, 1, 4])
    hidden = masked.selection.mask.reshape(N, 512).sum(axis=1)
    spans = masked.selection.counts
    kinds = {
        (R, 77, 26),
        (R, 76, 25),
        (R, 77, 10),
        (R, 76, 10),
        (X, 256, 85),
        (X, 256, 32),
        (X, 77, 1),
        (X, 76, 1),
        (X, 256, 4),
    }
    drawn = list(zip(modes.tolist(), hidden.tolist(), spans.tolist(), strict=True))
    assert {kind for kind in drawn if kind[0] != S} == kinds
    assert (spans[modes == S] == 1).all()
    by_denoiser = [
        sum(drawn.count((R, n, k)) for n, k in ((77, 26), (76, 25))),
        sum(drawn.count((R, n, 10)) for n in (76, 77)),
        int((modes == S).sum()),
        drawn.count((X, 256, 85)),
        drawn.count((X, 256, 32)),
        sum(drawn.count((X, n, 1)) for n in (76, 77)),
        drawn.count((X, 256, 4)),
    ]
    assert sum(by_denoiser) == N
    assert fits(by_denoiser, np.ones(7))
    share = hidden[modes == S] / 512
    assert share.min() > 0
    assert share.max() <= 0.51
    assert abs(share.mean() - 0.25) < 4 * share.std() / np.sqrt(len(share))


def test_weights() -> None:
    tokens = equal_rows(N, 64)
    only = maskplug.strategy("ul2", weights=[0, 0, 1, 0, 0, 0, 0])
    assert set(modes_of(only(tokens, VOCAB)).tolist()) == {S}
    some = maskplug.strategy("ul2", weights=[1, 1, 6, 0, 0, 0, 0])
    counts = [(modes_of(some(tokens, VOCAB)) == mode).sum() for mode in (R, S)]
    assert fits(counts, [2, 6])


def test_modes_do_not_change_the_masks() -> None:
    tokens = equal_rows(200, 40)
    plain = maskplug.strategy("ul2", modes=None)(tokens, VOCAB, seed=1)
    with_modes = maskplug.strategy("ul2")(tokens, VOCAB, seed=1)
    assert plain.targets.to_lists() == with_modes.targets.to_lists()
    assert plain.inputs.to_lists() == [row[1:] for row in with_modes.inputs.to_lists()]


def test_other_modes_and_denoisers() -> None:
    tokens = equal_rows(300, 20)
    named = maskplug.strategy("ul2", modes=["<mask_1>", "[S]", 67])
    assert set(modes_of(named(tokens, VOCAB)).tolist()) == {66, 61, 67}
    custom = maskplug.strategy(
        "ul2", denoisers=["t5", {"name": "prefix_lm", "rate": 0.1}], modes=["[X]", "[S]"]
    )
    assert set(modes_of(custom(tokens, VOCAB)).tolist()) == {X, S}
    assert maskplug.strategy(custom.spec).fingerprint == custom.fingerprint


def test_static_clock() -> None:
    tokens = equal_rows(50, 40)
    still = maskplug.strategy("ul2", clock="never")
    first, second = (still(tokens, VOCAB, epoch=epoch).inputs.to_lists() for epoch in (0, 1))
    assert first == second
    assert still.is_static


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"modes": ["[R]", "[S]"]}, r"'modes' is \['\[R\]', '\[S\]'\]; three tokens are needed"),
        ({"denoisers": ["t5"]}, "'modes' has 3 tokens for 1 denoisers: give one each, or null"),
        ({"weights": [1, 2]}, "'weights' has 2 values for 7 strategies"),
        ({"denoisers": [], "modes": []}, "'denoisers' is empty"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        maskplug.strategy("ul2", **options)
